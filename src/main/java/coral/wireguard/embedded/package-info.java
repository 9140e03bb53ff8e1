/**
 * WireGuard in Java, as in the whitepaper (Donenfeld, "WireGuard: Next Generation Kernel Network
 * Tunnel", NDSS 2017; sections below mean that paper): the handshake, the transport, the timers and
 * the routing by keys, on a TUN device of {@code coral.linux} or ending in the process.
 *
 * <p>Three threads per device: one reads the TUN device, one reads the socket, and one does
 * handshakes and timers. The cryptography, the timers and the tries are plain classes without
 * threads or clocks.
 */
@NullMarked
package coral.wireguard.embedded;

import org.jspecify.annotations.NullMarked;
