package coral.model;

/**
 * The answer to a request that changed nothing.
 *
 * @param failure the kind, for programs
 * @param message one sentence for people, without secrets; says what to do where that is known
 */
public record Refused(Failure failure, String message) implements ClusterMessage {
  /** This refusal as an exception, for the edge that fails a call with it. */
  public RefusedException toException() {
    return new RefusedException(this);
  }
}
