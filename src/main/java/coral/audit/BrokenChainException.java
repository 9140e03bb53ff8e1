package coral.audit;

import java.io.IOException;

/** The log is not what was recorded. */
public final class BrokenChainException extends IOException {
  private static final long serialVersionUID = 1L;

  private final long sequence;

  BrokenChainException(long sequence, String why) {
    super("the audit log is broken at record " + sequence + ": " + why);
    this.sequence = sequence;
  }

  /** The first record that is not as it was. */
  public long sequence() {
    return sequence;
  }
}
