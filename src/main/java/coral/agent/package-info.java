/**
 * The agent's process: one per host. It joins the host to a colony's mesh in the six steps of RFD
 * 019 and keeps it there: an actor for the steps, one for the session with the colony, one that
 * probes the tunnel, one that renews the certificate. What blocks (HTTPS, the device, ICMP, files)
 * runs on threads of its own.
 *
 * <p>Composes {@code wireguard}, {@code certificate}, {@code files} and {@code rpc}; started by
 * {@code cli}.
 */
@NullMarked
package coral.agent;

import org.jspecify.annotations.NullMarked;
