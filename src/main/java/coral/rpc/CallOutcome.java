package coral.rpc;

import coral.model.Failure;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.grpc.Trailers;

/**
 * How one call ends. The generated handlers tell why it failed at one place, and that it was
 * answered at another.
 */
final class CallOutcome {
  private final CallListener listener;
  private final String rpc;
  private final long begin = System.nanoTime();
  private final AtomicReference<Optional<Failure>> failure =
      new AtomicReference<>(Optional.empty());

  CallOutcome(CallListener listener, String rpc) {
    this.listener = listener;
    this.rpc = rpc;
  }

  /** Takes note of why the call fails, in the words of {@link FailureStatus#exception}. */
  GrpcServiceException failed(Throwable thrown) {
    failure.set(Optional.of(FailureStatus.failure(thrown)));
    return FailureStatus.exception(thrown);
  }

  /** As {@link #failed}, for the generated handlers. */
  Trailers trailers(Throwable thrown) {
    failure.set(Optional.of(FailureStatus.failure(thrown)));
    return FailureStatus.grpcTrailers(thrown);
  }

  /** Tells the listener; to be called once, with the answer. */
  void answered() {
    Optional<Failure> why = Objects.requireNonNull(failure.get());
    listener.answered(rpc, why, Duration.ofNanos(System.nanoTime() - begin));
  }
}
