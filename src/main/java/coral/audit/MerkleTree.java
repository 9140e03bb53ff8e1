package coral.audit;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;

/**
 * The Merkle tree hash of RFC 9162, section 2.1.1, over leaves that come one after the other; keeps
 * no more than one hash for each level of the tree.
 */
final class MerkleTree {
  private static final byte[] LEAF = {0};
  private static final byte[] NODE = {1};

  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  private record Subtree(long leaves, byte[] hash) {}

  /** Perfect subtrees, each smaller than the one before: the last on top. */
  private final Deque<Subtree> subtrees = new ArrayDeque<>();

  /** Adds the next leaf. */
  void add(byte[] leaf) {
    Subtree added = new Subtree(1, Sha256.of(LEAF, leaf));
    while (!subtrees.isEmpty() && subtrees.peek().leaves() == added.leaves()) {
      added = join(subtrees.pop(), added);
    }
    subtrees.push(added);
  }

  /** Adds the hash of a record as the next leaf. */
  void addHash(String hex) {
    add(HexFormat.of().parseHex(hex));
  }

  /** The root, in 64 lower-case hexadecimal digits; that of no leaves is SHA-256 of nothing. */
  String root() {
    Subtree right = null;
    for (Subtree left : subtrees) {
      right = right == null ? left : join(left, right);
    }
    return right == null ? Sha256.hex() : HexFormat.of().formatHex(right.hash());
  }

  private static Subtree join(Subtree left, Subtree right) {
    return new Subtree(left.leaves() + right.leaves(), Sha256.of(NODE, left.hash(), right.hash()));
  }
}
