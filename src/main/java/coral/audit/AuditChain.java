package coral.audit;

import coral.model.AuditEvent;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * A chain of records as far as it goes: all that is needed to add the next one, or to say whether
 * one follows.
 *
 * @param length the sequence number of the last record; 0 for none
 * @param hash of the last record; {@link AuditRecord#NO_HASH} for none
 * @param time of the last record; {@link Instant#EPOCH} for none
 */
public record AuditChain(long length, String hash, Instant time) {
  /** The chain without a record. */
  public static final AuditChain EMPTY = new AuditChain(0, AuditRecord.NO_HASH, Instant.EPOCH);

  /** Where a chain that was verified up to a record goes on. */
  static AuditChain upTo(AuditRecord last) {
    return new AuditChain(last.sequence(), last.hash(), last.time());
  }

  /**
   * The record of an event at the end of this chain. A clock that was set back does not show: the
   * record then has the time of the one before it.
   */
  public AuditRecord next(AuditEvent event, Instant now) {
    return AuditRecord.of(event, length + 1, now.isBefore(time) ? time : now, hash);
  }

  /** The chain with one record more, which must be one that {@link #problem} is silent about. */
  public AuditChain with(AuditRecord record) {
    return upTo(record);
  }

  /** Why a record does not follow this chain, for people; empty if it does. */
  public Optional<String> problem(AuditRecord record) {
    if (record.sequence() > length + 1) {
      return Optional.of(
          record.sequence() == length + 2
              ? "it is missing"
              : "it and those up to " + (record.sequence() - 1) + " are missing");
    }
    if (record.sequence() <= length) {
      return Optional.of("there is a second record " + record.sequence() + " in its place");
    }
    if (record.time().isBefore(time)) {
      return Optional.of("its time is before that of the record before it");
    }
    if (!record.hash().equals(record.hashAfter(hash))) {
      return Optional.of("it is not what was recorded: its hash does not fit");
    }
    return Optional.empty();
  }

  /**
   * The end of a chain of which only the last records are at hand. Of them, the first is taken as
   * it is unless it is record 1: whatever came before is not looked at.
   *
   * @param records in their order
   * @param count how many records there are in all
   * @throws BrokenChainException if the records do not follow each other, or are not the last
   */
  static AuditChain ofLast(List<AuditRecord> records, long count) throws BrokenChainException {
    AuditChain chain = EMPTY;
    boolean first = true;
    for (AuditRecord record : records) {
      if (first && record.sequence() > 1 && Sha256.isHex(record.hash())) {
        chain = upTo(record);
      } else {
        Optional<String> problem = chain.problem(record);
        if (problem.isPresent()) {
          throw new BrokenChainException(chain.length() + 1, problem.get());
        }
        chain = chain.with(record);
      }
      first = false;
    }
    if (chain.length() != count) {
      throw new BrokenChainException(
          Math.min(chain.length(), count) + 1,
          "the last record has the number " + chain.length() + " and there are " + count);
    }
    return chain;
  }
}
