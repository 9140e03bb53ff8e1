package coral.wireguard.embedded;

import coral.model.WireGuardKey;
import coral.wireguard.KeyPair;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Our half of a handshake that the other side began (sections 5.4.2 and 5.4.3). It goes in steps,
 * because only the first tells who the other side claims to be: {@link #open}, look the peer up,
 * {@link #readTimestamp}, decide, {@link #respond}.
 */
final class ResponderHandshake {
  private final LocalIdentity local;
  private final Noise noise;
  private final byte[] ephemeral;
  private final byte[] sealedTimestamp;
  private final int sender;
  private final WireGuardKey initiator;

  private ResponderHandshake(
      LocalIdentity local, Noise noise, byte[] initiation, WireGuardKey initiator) {
    this.local = local;
    this.noise = noise;
    this.ephemeral = Arrays.copyOfRange(initiation, 8, 40);
    this.sealedTimestamp = Arrays.copyOfRange(initiation, 88, 116);
    this.sender = Messages.getInt(initiation, 4);
    this.initiator = initiator;
  }

  /** Reads who sends an initiation; empty if it is not meant for us or is malformed. */
  static Optional<ResponderHandshake> open(LocalIdentity local, byte[] initiation) {
    if (Messages.type(initiation, initiation.length) != Messages.INITIATION
        || !Messages.isAuthentic(initiation, local.mac1Key())) {
      return Optional.empty();
    }
    byte[] ephemeral = Arrays.copyOfRange(initiation, 8, 40);
    Optional<byte[]> secret = local.agree(ephemeral);
    if (secret.isEmpty()) {
      return Optional.empty();
    }
    Noise noise = new Noise(local.publicBytes());
    noise.mixEphemeral(ephemeral);
    noise.mixSecret(secret.get());
    byte[] key = noise.open(Arrays.copyOfRange(initiation, 40, 88));
    if (key == null || Arrays.equals(key, new byte[WireGuardKey.LENGTH])) {
      return Optional.empty();
    }
    return Optional.of(new ResponderHandshake(local, noise, initiation, WireGuardKey.of(key)));
  }

  /** Who the sender claims to be; {@link #readTimestamp} proves it. */
  WireGuardKey initiator() {
    return initiator;
  }

  /**
   * The timestamp, whose tag only the owner of the claimed key could make; null if it is forged.
   */
  byte @Nullable [] readTimestamp() {
    Optional<byte[]> secret = local.agree(initiator.toBytes());
    if (secret.isEmpty()) {
      return null;
    }
    noise.mixSecret(secret.get());
    return noise.open(sealedTimestamp);
  }

  /**
   * A response and the keys it agrees on.
   *
   * @param keys for the responder
   */
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  record Response(byte[] message, SessionKeys keys) {}

  /**
   * Answers; {@link #readTimestamp} must have succeeded.
   *
   * @param index by which the other side shall address us
   * @return empty if the other side sent a point of low order
   */
  Optional<Response> respond(RemoteIdentity remote, int index) {
    return respond(remote, index, KeyPair.generate());
  }

  Optional<Response> respond(RemoteIdentity remote, int index, KeyPair own) {
    byte[] point = own.publicKey().toBytes();
    byte[] scalar = own.privateKeyBytes();
    Optional<byte[]> ephemeralEphemeral = LocalIdentity.agree(scalar, ephemeral);
    Optional<byte[]> ephemeralStatic = LocalIdentity.agree(scalar, remote.publicBytes());
    if (ephemeralEphemeral.isEmpty() || ephemeralStatic.isEmpty()) {
      return Optional.empty();
    }
    noise.mixEphemeral(point);
    noise.mixSecret(ephemeralEphemeral.get());
    noise.mixSecret(ephemeralStatic.get());
    noise.mixPresharedKey(remote.presharedKey());
    byte[] confirmation = noise.seal(new byte[0]);

    byte[] message = new byte[Messages.RESPONSE_LENGTH];
    Messages.putInt(message, 0, Messages.RESPONSE);
    Messages.putInt(message, 4, index);
    Messages.putInt(message, 8, sender);
    System.arraycopy(point, 0, message, 12, point.length);
    System.arraycopy(confirmation, 0, message, 44, confirmation.length);
    Messages.authenticate(message, remote.mac1Key());
    byte[][] keys = noise.split();
    return Optional.of(new Response(message, new SessionKeys(keys[1], keys[0], sender)));
  }
}
