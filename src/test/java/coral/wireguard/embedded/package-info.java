/** Tests of the embedded device: its pure parts, devices over loopback, and a foreign peer. */
@NullMarked
package coral.wireguard.embedded;

import org.jspecify.annotations.NullMarked;
