package coral.audit;

import static java.nio.charset.StandardCharsets.US_ASCII;

import coral.model.ColonyId;
import java.time.Instant;

/**
 * The signed Merkle root over some records' hashes.
 *
 * @param firstSequence the record after the last one of the root before, or 1
 * @param lastSequence the last record that it covers
 * @param hash the Merkle tree hash (RFC 9162) over the 32-byte hashes of these records, in 64
 *     lower-case hexadecimal digits
 * @param signedAt in whole seconds
 * @param signature over {@link #text}, in base64
 * @param certificates PEM: the signer's, then those between it and the colony's root
 */
public record AuditRoot(
    long firstSequence,
    long lastSequence,
    String hash,
    Instant signedAt,
    String signature,
    String certificates) {
  /**
   * What is signed: six lines of ASCII, each with a line feed, which begin with the name of this
   * form, so that no signature over a certificate or anything else can pass for one over a root.
   */
  static byte[] text(
      ColonyId colony, long firstSequence, long lastSequence, String hash, Instant signedAt) {
    return ("coral-audit-root-v1\n"
            + ("colony: " + colony + "\n")
            + ("first: " + firstSequence + "\n")
            + ("last: " + lastSequence + "\n")
            + ("root: " + hash + "\n")
            + ("signed-at: " + signedAt + "\n"))
        .getBytes(US_ASCII);
  }

  /** What {@link #signature} is over. */
  byte[] text(ColonyId colony) {
    return text(colony, firstSequence, lastSequence, hash, signedAt);
  }
}
