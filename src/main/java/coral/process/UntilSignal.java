package coral.process;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.ToIntFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs something in the foreground until SIGTERM or SIGINT, or until it ends by itself. */
public final class UntilSignal {
  private static final Logger LOG = LoggerFactory.getLogger(UntilSignal.class);

  private UntilSignal() {}

  /** Starts what is to run; undoes a start that fails. */
  public interface Start<P, E extends Exception> {
    P start() throws E;
  }

  /**
   * Starts it, and obeys signals from before the start on: one that comes in the middle is obeyed
   * when there is something to stop. The runtime by itself would exit with 143; to stop when told
   * to is a success.
   *
   * @param name of the thread that obeys, before {@code -signal}
   * @param awaitEnd waits until it has ended, for whatever reason; gives the exit code
   * @param stop called after a signal; stops it, blocks until that is done, and gives the exit code
   * @return what {@code awaitEnd} gives
   * @throws E as the start
   */
  public static <P, E extends Exception> int run(
      String name, Start<P, E> start, ToIntFunction<P> awaitEnd, ToIntFunction<P> stop) throws E {
    CompletableFuture<P> started = new CompletableFuture<>();
    Thread onSignal = new Thread(() -> obey(started, stop), name + "-signal");
    Runtime.getRuntime().addShutdownHook(onSignal);
    try {
      P running = start.start();
      started.complete(running);
      return awaitEnd.applyAsInt(running);
    } catch (Throwable e) {
      started.completeExceptionally(e);
      throw e;
    } finally {
      forget(onSignal);
    }
  }

  private static <P> void obey(CompletableFuture<P> started, ToIntFunction<P> stop) {
    int code;
    try {
      code = stop.applyAsInt(started.join());
    } catch (CompletionException e) {
      return; // the start or the stop has failed, and whoever called says why
    }
    Runtime.getRuntime().halt(code);
  }

  /** What has ended needs no stop, and its exit code is the caller's. */
  private static void forget(Thread onSignal) {
    try {
      Runtime.getRuntime().removeShutdownHook(onSignal);
    } catch (IllegalStateException e) {
      LOG.debug("A signal ends the process", e);
    }
  }
}
