package coral.colony;

import coral.rpc.FailureStatus;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The steps in which a process starts: timed, bounded, with messages for people. */
final class Steps {
  private static final Logger log = LoggerFactory.getLogger(ColonyProcess.class);

  /** One step. */
  interface Step<T> {
    T run() throws IOException;
  }

  private Steps() {}

  /** Runs a step of the start and logs how long it took. */
  static <T> T step(String what, Step<T> step) throws IOException {
    long begin = System.nanoTime();
    T result = step.run();
    log.info("{} in {} ms", what, (System.nanoTime() - begin) / 1_000_000);
    return result;
  }

  /** Waits; what failed comes out as an exception with a message for people. */
  static <T> T await(CompletionStage<T> stage, Duration timeout) throws IOException {
    try {
      return stage.toCompletableFuture().get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      Throwable cause = FailureStatus.unwrap(e);
      String message = cause.getMessage();
      throw new IOException(message == null ? cause.getClass().getSimpleName() : message, cause);
    } catch (TimeoutException e) {
      throw new IOException("not done within " + timeout.toSeconds() + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
