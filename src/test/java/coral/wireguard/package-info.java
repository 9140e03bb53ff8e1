/** What every WireGuard device must do. */
@NullMarked
package coral.wireguard;

import org.jspecify.annotations.NullMarked;
