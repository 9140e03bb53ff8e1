package coral.wireguard.embedded;

import org.jspecify.annotations.Nullable;

/**
 * A binary trie over prefixes of up to 128 bits, with paths of single children compressed.
 * Immutable: a change copies the nodes from the root to the place of change, at most one per bit,
 * so that a reader of the old root is never disturbed and a change costs the same for many prefixes
 * as for few. Addresses are two words, of which the first holds the leading bits.
 */
final class PrefixTrie<V> {
  private static final PrefixTrie<?> EMPTY = new PrefixTrie<>(null);

  private final @Nullable Node<V> root;

  private PrefixTrie(@Nullable Node<V> root) {
    this.root = root;
  }

  /** Bits after {@code length} are zero; a node without a value only joins two others. */
  private record Node<V>(
      long high,
      long low,
      int length,
      @Nullable V value,
      @Nullable Node<V> zero,
      @Nullable Node<V> one) {
    /** How many leading bits the prefix has in common with an address, at most its length. */
    int common(long otherHigh, long otherLow) {
      long difference = high ^ otherHigh;
      int equal =
          difference != 0
              ? Long.numberOfLeadingZeros(difference)
              : Long.SIZE + Long.numberOfLeadingZeros(low ^ otherLow);
      return Math.min(equal, length);
    }

    Node<V> withValue(@Nullable V newValue) {
      return new Node<>(high, low, length, newValue, zero, one);
    }

    Node<V> withChild(boolean atOne, @Nullable Node<V> child) {
      return atOne
          ? new Node<>(high, low, length, value, zero, child)
          : new Node<>(high, low, length, value, child, one);
    }
  }

  @SuppressWarnings("unchecked") // holds no value
  static <V> PrefixTrie<V> empty() {
    return (PrefixTrie<V>) EMPTY;
  }

  /** With the value for this prefix, in place of the one it had. */
  PrefixTrie<V> with(long high, long low, int length, V value) {
    return new PrefixTrie<>(put(root, high, low, length, value));
  }

  /** Without this prefix, if it has this very value. */
  PrefixTrie<V> without(long high, long low, int length, V value) {
    return new PrefixTrie<>(remove(root, high, low, length, value));
  }

  /** The value of the longest prefix of an address. */
  @Nullable V find(long high, long low) {
    V best = null;
    Node<V> node = root;
    while (node != null && node.common(high, low) == node.length) {
      if (node.value != null) {
        best = node.value;
      }
      if (node.length == 2 * Long.SIZE) {
        break;
      }
      node = bit(high, low, node.length) ? node.one : node.zero;
    }
    return best;
  }

  private static <V> Node<V> put(@Nullable Node<V> node, long high, long low, int length, V value) {
    if (node == null) {
      return new Node<>(high, low, length, value, null, null);
    }
    int common = Math.min(node.common(high, low), length);
    if (common == node.length) {
      if (common == length) {
        return node.withValue(value);
      }
      boolean side = bit(high, low, common);
      return node.withChild(side, put(side ? node.one : node.zero, high, low, length, value));
    }
    boolean nodeSide = bit(node.high, node.low, common);
    if (common == length) {
      return new Node<>(high, low, length, value, null, null).withChild(nodeSide, node);
    }
    Node<V> leaf = new Node<>(high, low, length, value, null, null);
    long highMask = mask(common);
    long lowMask = mask(common - Long.SIZE);
    return new Node<V>(high & highMask, low & lowMask, common, null, null, null)
        .withChild(nodeSide, node)
        .withChild(!nodeSide, leaf);
  }

  @SuppressWarnings("ReferenceEquality") // an owner is itself only; an unchanged node is the same
  private static <V> @Nullable Node<V> remove(
      @Nullable Node<V> node, long high, long low, int length, V value) {
    if (node == null || node.length > length || node.common(high, low) < node.length) {
      return node;
    }
    if (node.length == length) {
      return node.value == value ? compressed(node.withValue(null)) : node;
    }
    boolean side = bit(high, low, node.length);
    Node<V> child = side ? node.one : node.zero;
    Node<V> changed = remove(child, high, low, length, value);
    return changed == child ? node : compressed(node.withChild(side, changed));
  }

  /** A node without a value stays only where two paths part. */
  private static <V> @Nullable Node<V> compressed(Node<V> node) {
    if (node.value != null || (node.zero != null && node.one != null)) {
      return node;
    }
    return node.zero != null ? node.zero : node.one;
  }

  private static boolean bit(long high, long low, int index) {
    long word = index < Long.SIZE ? high : low;
    return (word >>> (Long.SIZE - 1 - index % Long.SIZE) & 1) != 0;
  }

  /** The first {@code bits} of a word; none for a negative number, all for 64 and more. */
  private static long mask(int bits) {
    if (bits <= 0) {
      return 0;
    }
    return bits >= Long.SIZE ? -1 : -1L << (Long.SIZE - bits);
  }
}
