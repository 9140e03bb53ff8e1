/**
 * What Coral asks of the Linux kernel beyond the JDK: TUN interfaces, rtnetlink, ICMP echo and
 * network namespaces. The only package that makes native calls (JNA); no command such as {@code ip}
 * is ever run. Used by the embedded WireGuard device, and by tests that build networks.
 */
@NullMarked
package coral.linux;

import org.jspecify.annotations.NullMarked;
