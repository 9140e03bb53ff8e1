package coral.certificate;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Keys whose private half is known to others, which get no certificate: those of Debian's defective
 * OpenSSL (CVE-2008-0166), those that were found in firmware or in a leak (compare the CA/Browser
 * Forum's baseline requirements, section 6.1.1.3). Coral ships no list; an operator names files.
 * Immutable.
 *
 * <p>A file has one key a line, as the SHA-256 of its SubjectPublicKeyInfo in 64 hexadecimal
 * digits; what follows a {@code #} is a comment. Of each hash 64 bits are kept, eight megabytes for
 * a million keys: a sound key is taken for one of them once in 2^44.
 */
public final class BlockedKeys {
  /** Of all files together. */
  static final long MAX_BYTES = 64L << 20;

  /** Keys of all files together. */
  static final int MAX_KEYS = 1_000_000;

  private static final int MAX_LINE_LENGTH = 1024;
  private static final Pattern HASH = Pattern.compile("[0-9a-fA-F]{64}");
  private static final int DIGITS_KEPT = 16;

  private final long[] hashes;

  private BlockedKeys(long[] hashes) {
    this.hashes = hashes;
  }

  /** No key at all. */
  public static BlockedKeys none() {
    return new BlockedKeys(new long[0]);
  }

  /**
   * Reads lists.
   *
   * @throws IOException naming the file, and the line if it is one, that cannot be used; also for
   *     more than 64 MiB or a million keys
   */
  public static BlockedKeys read(List<Path> files) throws IOException {
    Reading reading = new Reading();
    for (Path file : files) {
      if (!Files.isRegularFile(file)) { // to open a pipe would block
        throw new IOException(file + ", a list of blocked keys, is not a file");
      }
      reading.file(file);
    }
    return reading.done();
  }

  /** Whether the key of this hash is blocked: of the form that {@link PublicKeys#hash} gives. */
  boolean contains(String keyHash) {
    return Arrays.binarySearch(hashes, kept(keyHash)) >= 0;
  }

  /** How many keys are blocked; one that is listed twice counts twice. */
  public int size() {
    return hashes.length;
  }

  private static long kept(String hash) {
    return HexFormat.fromHexDigitsToLong(hash, 0, DIGITS_KEPT);
  }

  private static final class Reading {
    private long[] found = new long[1024];
    private int size;
    private long bytes;

    void file(Path file) throws IOException {
      byte[] line = new byte[MAX_LINE_LENGTH];
      int length = 0;
      int number = 1;
      try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
        for (int next = in.read(); next >= 0; next = in.read()) {
          if (++bytes > MAX_BYTES) {
            throw new IOException(
                file + ": lists of blocked keys have at most " + MAX_BYTES + " bytes together");
          }
          if (next == '\n') {
            line(file, number++, new String(line, 0, length, StandardCharsets.ISO_8859_1));
            length = 0;
          } else if (length == line.length) {
            throw unusable(file, number, "has more than " + MAX_LINE_LENGTH + " characters");
          } else {
            line[length++] = (byte) next;
          }
        }
      }
      line(file, number, new String(line, 0, length, StandardCharsets.ISO_8859_1));
    }

    private void line(Path file, int number, String line) throws IOException {
      int comment = line.indexOf('#');
      String hash = (comment < 0 ? line : line.substring(0, comment)).strip();
      if (hash.isEmpty()) {
        return;
      }
      if (!HASH.matcher(hash).matches()) {
        throw unusable(
            file, number, "is not the SHA-256 of a SubjectPublicKeyInfo in 64 hexadecimal digits");
      }
      if (size == MAX_KEYS) {
        throw unusable(file, number, "is one key more than the " + MAX_KEYS + " that have room");
      }
      if (size == found.length) {
        found = Arrays.copyOf(found, Math.min(MAX_KEYS, 2 * size));
      }
      found[size++] = kept(hash);
    }

    private static IOException unusable(Path file, int number, String why) {
      return new IOException(file + ", a list of blocked keys: line " + number + " " + why);
    }

    BlockedKeys done() {
      long[] hashes = Arrays.copyOf(found, size);
      Arrays.sort(hashes);
      return new BlockedKeys(hashes);
    }
  }
}
