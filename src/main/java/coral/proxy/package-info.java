/**
 * A colony's port on this host: a listener for every client's protocol, and the forwarding of what
 * comes to the colony, bytes unchanged and streaming (RFD 005). Knows nothing of how the colony is
 * found or the mesh is joined: the process that owns a {@link coral.proxy.LocalProxy} tells it
 * where to forward to, and when that ends.
 */
@NullMarked
package coral.proxy;

import org.jspecify.annotations.NullMarked;
