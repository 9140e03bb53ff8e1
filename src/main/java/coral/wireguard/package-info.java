/**
 * A WireGuard device as desired state: which peers there are, where, and which addresses are
 * theirs. The colony and the agent drive a {@link coral.wireguard.WireGuardDevice} and never see a
 * packet; the backends, such as {@code coral.wireguard.embedded}, implement it.
 */
@NullMarked
package coral.wireguard;

import org.jspecify.annotations.NullMarked;
