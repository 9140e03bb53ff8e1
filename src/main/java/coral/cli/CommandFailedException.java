package coral.cli;

/** An expected failure of a command: what went wrong, and what to do next. */
public final class CommandFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String next;

  /**
   * @param message what went wrong, for people
   * @param next what to do about it, for people; may be empty
   */
  public CommandFailedException(String message, String next) {
    super(message);
    this.next = next;
  }

  /** As above, with what lies behind it, which {@code --verbose} shows. */
  public CommandFailedException(String message, String next, Throwable cause) {
    super(message, cause);
    this.next = next;
  }

  /** What to do next; empty if the message says it all. */
  public String next() {
    return next;
  }
}
