package coral.token;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;

/**
 * One key's signature over its successor: what lets a colony that trusts the one trust the other.
 */
public final class Endorsement {
  private final String endorserId;
  private final byte[] signature;

  /**
   * An endorsement as it was received: not verified.
   *
   * @param endorserId the id of the key that signed
   * @param signature copied
   */
  public Endorsement(String endorserId, byte[] signature) {
    this.endorserId = endorserId;
    this.signature = signature.clone();
  }

  /** The id of the key that signed. */
  public String endorserId() {
    return endorserId;
  }

  /** A copy of the signature. */
  public byte[] signature() {
    return signature.clone();
  }

  /** Whether {@code endorser} vouches for {@code key} here. */
  boolean holds(TokenKey endorser, TokenKey key) {
    return endorser.id().equals(endorserId) && endorser.verifies(message(key), signature);
  }

  /** What is signed: it is good for no other purpose, as no token begins like it. */
  static byte[] message(TokenKey key) {
    return ("coral-discovery-key/v1\n" + key.id() + "\n" + key).getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Endorsement endorsement
        && endorserId.equals(endorsement.endorserId)
        && Arrays.equals(signature, endorsement.signature);
  }

  @Override
  public int hashCode() {
    return Objects.hash(endorserId, Arrays.hashCode(signature));
  }

  @Override
  public String toString() {
    return "Endorsement[by " + endorserId + "]";
  }
}
