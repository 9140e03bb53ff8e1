package coral.agent;

import coral.agent.JoinFailure.Kind;

/** A {@link JoinFailure} on its way to the actor that acts on it. */
final class JoinException extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient JoinFailure failure;

  JoinException(JoinFailure failure) {
    super(failure.message());
    this.failure = failure;
  }

  JoinException(JoinFailure failure, Throwable cause) {
    super(failure.message(), cause);
    this.failure = failure;
  }

  JoinException(Kind kind, String message) {
    this(new JoinFailure(kind, message));
  }

  JoinException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.failure = new JoinFailure(kind, message);
  }

  JoinFailure failure() {
    return failure;
  }
}
