package coral.agent;

import coral.agent.JoinFailure.Kind;
import java.io.IOException;

/** The end of an attempt at joining: the step that failed, and why. */
final class StepFailedException extends Exception {
  private static final long serialVersionUID = 1L;

  private final JoinStep step;
  private final transient JoinFailure failure;

  StepFailedException(JoinStep step, Exception cause) {
    super(cause);
    this.step = step;
    this.failure = failureOf(cause);
  }

  JoinStep step() {
    return step;
  }

  JoinFailure failure() {
    return failure;
  }

  private static JoinFailure failureOf(Exception cause) {
    if (cause instanceof JoinException join) {
      return join.failure();
    }
    return cause instanceof IOException
        ? new JoinFailure(Kind.FILES_FAILED, String.valueOf(cause.getMessage()))
        : JoinFailure.defect(cause);
  }
}
