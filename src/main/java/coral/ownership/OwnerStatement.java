package coral.ownership;

/**
 * A request to discovery as the bytes that its owner signs, of which each has one meaning only: the
 * encoding is that of {@code OwnerProof} in {@code discovery.proto}.
 */
public sealed interface OwnerStatement permits AnnouncementStatement, RotationStatement {
  /**
   * What is signed.
   *
   * @param sequence greater than in all requests of this colony before
   */
  byte[] bytes(long sequence);
}
