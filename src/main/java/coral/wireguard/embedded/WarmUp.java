package coral.wireguard.embedded;

import coral.linux.Netlink;
import coral.linux.TunDevice;
import coral.wireguard.KeyPair;
import java.io.IOException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Loads classes ahead, so that the first interface and the first handshake do not wait for it. */
public final class WarmUp {
  private static final Logger LOG = LoggerFactory.getLogger(WarmUp.class);

  private WarmUp() {}

  /**
   * Does in memory what a device of this mode does first, and asks the kernel for its links.
   *
   * @param mode as {@link DeviceMode#resolved} has it
   */
  public static void run(DeviceMode mode) {
    handshake();
    if (mode == DeviceMode.TUN && TunDevice.isAvailable()) {
      try (Netlink netlink = Netlink.open()) {
        netlink.links();
      } catch (IOException e) {
        LOG.debug("Netlink is of no use; opening the device will say so", e);
      }
    }
  }

  /** One handshake and one packet, in memory. */
  private static void handshake() {
    LocalIdentity one = new LocalIdentity(KeyPair.generate());
    LocalIdentity other = new LocalIdentity(KeyPair.generate());
    byte[] timestamp = new byte[Tai64n.LENGTH];
    InitiatorHandshake begun =
        InitiatorHandshake.begin(
                one, RemoteIdentity.of(other.publicKey(), Optional.empty()), 1, timestamp)
            .orElseThrow();
    ResponderHandshake opened = ResponderHandshake.open(other, begun.message()).orElseThrow();
    if (opened.readTimestamp() == null) {
      throw new IllegalStateException("a handshake with ourselves failed");
    }
    ResponderHandshake.Response response =
        opened.respond(RemoteIdentity.of(one.publicKey(), Optional.empty()), 2).orElseThrow();
    SessionKeys keys = begun.finish(response.message()).orElseThrow();
    PacketCipher cipher = new JcePacketCipher();
    byte[] sealed = new byte[Messages.KEEPALIVE_LENGTH];
    cipher.seal(keys.send(), 0, new byte[0], 0, 0, sealed, 0);
    cipher.open(response.keys().receive(), 0, sealed, 0, Messages.TAG_LENGTH, new byte[16], 0);
  }
}
