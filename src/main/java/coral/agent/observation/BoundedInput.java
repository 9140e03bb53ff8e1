package coral.agent.observation;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** The beginning of a stream. */
final class BoundedInput extends FilterInputStream {
  private int left;

  BoundedInput(InputStream in, int bytes) {
    super(in);
    left = bytes;
  }

  /** Whether the end that a reader has seen is this one's. */
  boolean isExhausted() {
    return left == 0;
  }

  @Override
  public int read() throws IOException {
    if (left == 0) {
      return -1;
    }
    int octet = super.read();
    left -= octet < 0 ? 0 : 1;
    return octet;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (left == 0 && length > 0) {
      return -1;
    }
    int read = super.read(target, offset, Math.min(length, left));
    left -= Math.max(read, 0);
    return read;
  }
}
