package coral.wireguard.embedded;

import coral.model.WireGuardKey;
import coral.wireguard.PresharedKey;
import java.util.Optional;

/**
 * The other side's static key.
 *
 * @param publicBytes the key's bytes; not to be changed
 * @param mac1Key of mac1 in what we send it
 * @param presharedKey zeros without one (section 5.2)
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
record RemoteIdentity(
    WireGuardKey publicKey, byte[] publicBytes, byte[] mac1Key, byte[] presharedKey) {
  static RemoteIdentity of(WireGuardKey publicKey, Optional<PresharedKey> presharedKey) {
    byte[] bytes = publicKey.toBytes();
    return new RemoteIdentity(
        publicKey,
        bytes,
        LocalIdentity.mac1Key(bytes),
        presharedKey.map(PresharedKey::toBytes).orElseGet(() -> new byte[WireGuardKey.LENGTH]));
  }

  @Override
  public String toString() {
    return "RemoteIdentity[" + publicKey + "]";
  }
}
