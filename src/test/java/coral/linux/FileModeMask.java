package coral.linux;

/** The umask of this process as it is now, which closing this brings back. */
public final class FileModeMask implements AutoCloseable {
  private final int mask;

  private FileModeMask(int mask) {
    this.mask = mask;
  }

  public static FileModeMask keep() {
    return new FileModeMask(current());
  }

  /** It can be read only by setting it. */
  static int current() {
    int mask = Libc.umask(7 << 3 | 7);
    Libc.umask(mask);
    return mask;
  }

  @Override
  public void close() {
    Libc.umask(mask);
  }
}
