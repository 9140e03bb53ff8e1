package coral.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * What a process in the background writes: a file, and the one before it. Of both together there
 * are never more bytes than twice the bound.
 */
final class BoundedLog extends OutputStream {
  /** Days of a proxy with a trouble every minute. */
  static final int MAX_BYTES = 1 << 20;

  private final Path file;
  private final int maxBytes;
  private OutputStream out;
  private long written;

  private BoundedLog(Path file, int maxBytes, OutputStream out, long written) {
    this.file = file;
    this.maxBytes = maxBytes;
    this.out = out;
    this.written = written;
  }

  /** Goes on with a file, or makes it. */
  static BoundedLog open(Path file, int maxBytes) throws IOException {
    OutputStream out = append(file);
    return new BoundedLog(file, maxBytes, out, Files.size(file));
  }

  /** The file before this one. */
  static Path former(Path file) {
    return file.resolveSibling(file.getFileName() + ".1");
  }

  private static OutputStream append(Path file) throws IOException {
    return Files.newOutputStream(
        file, StandardOpenOption.CREATE, StandardOpenOption.APPEND, StandardOpenOption.WRITE);
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public synchronized void write(byte[] bytes, int offset, int length) throws IOException {
    if (written > 0 && written + length > maxBytes) {
      out.close();
      Files.move(file, former(file), StandardCopyOption.REPLACE_EXISTING);
      out = append(file);
      written = 0;
    }
    int kept = Math.min(length, maxBytes); // of one line that alone is too long
    out.write(bytes, offset, kept);
    written += kept;
  }

  @Override
  public synchronized void flush() throws IOException {
    out.flush();
  }

  @Override
  public synchronized void close() throws IOException {
    out.close();
  }
}
