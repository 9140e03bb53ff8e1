package coral.audit;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Runs what waits for the disk, off the actors.
 *
 * @param executor whose threads may block
 */
record Disk(Executor executor) {
  /** Runs {@code work}; a failure to even begin it is one of the stage as well. */
  <T> CompletionStage<T> call(Callable<T> work) {
    CompletableFuture<T> result = new CompletableFuture<>();
    try {
      executor.execute(
          () -> {
            try {
              result.complete(work.call());
            } catch (IOException | GeneralSecurityException | RuntimeException e) {
              result.completeExceptionally(e);
            } catch (Exception e) {
              result.completeExceptionally(new IllegalStateException(e));
            }
          });
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(e);
    }
    return result;
  }

  /** What the work threw, without what stages wrap it into. */
  static @Nullable Throwable cause(@Nullable Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }
}
