package coral.audit;

import coral.model.ColonyId;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Optional;

/**
 * Signs the root over the records of past hours, once they have been found to follow each other.
 */
final class RootSealing {
  private final AuditStore store;
  private final ColonyId colony;
  private final AuditSigner signer;

  RootSealing(AuditStore store, ColonyId colony, AuditSigner signer) {
    this.store = store;
    this.colony = colony;
    this.signer = signer;
  }

  /**
   * Signs one root over all records of full hours that no root covers: those of the last hour, or
   * of several after a time in which nobody could sign. Blocks.
   *
   * @return empty if there is no such record
   * @throws BrokenChainException if the records are not those that were recorded; nothing is signed
   */
  Optional<AuditRoot> seal(Instant now) throws IOException, GeneralSecurityException {
    long covered = store.contents(0).covered();
    Optional<Long> last = store.lastBefore(covered, now.truncatedTo(ChronoUnit.HOURS));
    if (last.isEmpty()) {
      return Optional.empty();
    }
    String hash = hash(covered, last.get());
    Instant signedAt = now.truncatedTo(ChronoUnit.SECONDS);
    AuditSigner.Signed signed =
        signer.sign(AuditRoot.text(colony, covered + 1, last.get(), hash, signedAt));
    AuditRoot root =
        new AuditRoot(
            covered + 1,
            last.get(),
            hash,
            signedAt,
            Base64.getEncoder().encodeToString(signed.bytes()),
            signed.certificates());
    store.append(root);
    return Optional.of(root);
  }

  private String hash(long covered, long last) throws IOException {
    Reading reading = new Reading(covered);
    store.records(Math.max(1, covered), last, reading::accept);
    return reading.hash(last);
  }

  /** Takes the last record that a root covers as it is, and the others only if they follow it. */
  private static final class Reading {
    private final long covered;
    private final MerkleTree tree = new MerkleTree();
    private AuditChain chain = AuditChain.EMPTY;
    private Optional<BrokenChainException> broken = Optional.empty();

    Reading(long covered) {
      this.covered = covered;
    }

    void accept(AuditRecord record) {
      if (broken.isPresent()) {
        return;
      }
      if (record.sequence() == covered && Sha256.isHex(record.hash())) {
        chain = AuditChain.upTo(record);
        return;
      }
      broken = chain.problem(record).map(why -> new BrokenChainException(chain.length() + 1, why));
      if (broken.isEmpty()) {
        chain = chain.with(record);
        tree.addHash(record.hash());
      }
    }

    String hash(long last) throws BrokenChainException {
      if (broken.isPresent()) {
        throw broken.get();
      }
      if (chain.length() != last) {
        throw new BrokenChainException(chain.length() + 1, "it is missing");
      }
      return tree.root();
    }
  }
}
