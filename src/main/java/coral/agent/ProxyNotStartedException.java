package coral.agent;

/** There is no proxy, for a reason that lies on this host; the message is for people. */
public final class ProxyNotStartedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What is in the way. */
  public enum Reason {
    /** A proxy of this colony runs already. */
    RUNNING,
    /** The address is in use, or not of this host. */
    ADDRESS,
    /** What the former proxy left, or its folder, cannot be read or written. */
    FILES
  }

  private final Reason reason;

  ProxyNotStartedException(Reason reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  ProxyNotStartedException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  /** What is in the way. */
  public Reason reason() {
    return reason;
  }
}
