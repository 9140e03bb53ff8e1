package coral.wireguard.embedded;

import coral.wireguard.KeyPair;
import java.util.Arrays;
import java.util.Optional;

/** Our half of a handshake that we began (section 5.4.2 and 5.4.3). */
final class InitiatorHandshake {
  private final LocalIdentity local;
  private final RemoteIdentity remote;
  private final int index;
  private final byte[] ephemeral;
  private final Noise noise;
  private final byte[] message;

  private InitiatorHandshake(
      LocalIdentity local, RemoteIdentity remote, int index, KeyPair ephemeral, Noise noise) {
    this.local = local;
    this.remote = remote;
    this.index = index;
    this.ephemeral = ephemeral.privateKeyBytes();
    this.noise = noise;
    this.message = new byte[Messages.INITIATION_LENGTH];
  }

  /**
   * Begins a handshake.
   *
   * @param index by which the other side shall address us
   * @param timestamp greater than in any initiation before
   * @return empty if the remote key is a point of low order, with which nobody can agree
   */
  static Optional<InitiatorHandshake> begin(
      LocalIdentity local, RemoteIdentity remote, int index, byte[] timestamp) {
    return begin(local, remote, index, timestamp, KeyPair.generate());
  }

  static Optional<InitiatorHandshake> begin(
      LocalIdentity local, RemoteIdentity remote, int index, byte[] timestamp, KeyPair ephemeral) {
    Optional<byte[]> ephemeralStatic =
        LocalIdentity.agree(ephemeral.privateKeyBytes(), remote.publicBytes());
    Optional<byte[]> staticStatic = local.agree(remote.publicBytes());
    if (ephemeralStatic.isEmpty() || staticStatic.isEmpty()) {
      return Optional.empty();
    }
    Noise noise = new Noise(remote.publicBytes());
    byte[] point = ephemeral.publicKey().toBytes();
    noise.mixEphemeral(point);
    noise.mixSecret(ephemeralStatic.get());
    byte[] sealedStatic = noise.seal(local.publicBytes());
    noise.mixSecret(staticStatic.get());
    byte[] sealedTimestamp = noise.seal(timestamp);

    InitiatorHandshake handshake = new InitiatorHandshake(local, remote, index, ephemeral, noise);
    byte[] message = handshake.message;
    Messages.putInt(message, 0, Messages.INITIATION);
    Messages.putInt(message, 4, index);
    System.arraycopy(point, 0, message, 8, point.length);
    System.arraycopy(sealedStatic, 0, message, 40, sealedStatic.length);
    System.arraycopy(sealedTimestamp, 0, message, 88, sealedTimestamp.length);
    Messages.authenticate(message, remote.mac1Key());
    return Optional.of(handshake);
  }

  int index() {
    return index;
  }

  /** The initiation to send. */
  byte[] message() {
    return message.clone();
  }

  /** The keys that the response agrees on; empty, and nothing changed, if it is not authentic. */
  Optional<SessionKeys> finish(byte[] response) {
    if (Messages.type(response, response.length) != Messages.RESPONSE
        || Messages.getInt(response, 8) != index
        || !Messages.isAuthentic(response, local.mac1Key())) {
      return Optional.empty();
    }
    byte[] point = Arrays.copyOfRange(response, 12, 44);
    Optional<byte[]> ephemeralEphemeral = LocalIdentity.agree(ephemeral, point);
    Optional<byte[]> staticEphemeral = local.agree(point);
    if (ephemeralEphemeral.isEmpty() || staticEphemeral.isEmpty()) {
      return Optional.empty();
    }
    Noise attempt = noise.copy();
    attempt.mixEphemeral(point);
    attempt.mixSecret(ephemeralEphemeral.get());
    attempt.mixSecret(staticEphemeral.get());
    attempt.mixPresharedKey(remote.presharedKey());
    if (attempt.open(Arrays.copyOfRange(response, 44, 60)) == null) {
      return Optional.empty();
    }
    byte[][] keys = attempt.split();
    return Optional.of(new SessionKeys(keys[0], keys[1], Messages.getInt(response, 4)));
  }
}
