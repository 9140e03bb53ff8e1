/**
 * Web pages about the API, for people who want to call it: made of the descriptors of what a server
 * serves and of the comments in the protocol buffers. Knows protobuf and HTML, and no server.
 */
@NullMarked
package coral.rpc.reference;

import org.jspecify.annotations.NullMarked;
