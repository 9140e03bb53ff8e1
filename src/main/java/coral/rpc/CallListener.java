package coral.rpc;

import coral.model.Failure;
import java.time.Duration;
import java.util.Optional;

/** Hears how each call was answered. Called on the server's threads: must not block. */
@FunctionalInterface
public interface CallListener {
  /** Hears nothing. */
  CallListener NONE = (rpc, failure, took) -> {};

  /**
   * A call was answered, or a stream was opened.
   *
   * @param rpc one that is served, by its full name without a leading slash
   * @param failure why it failed; empty if it did not
   * @param took from the end of the request's head until the answer
   */
  void answered(String rpc, Optional<Failure> failure, Duration took);
}
