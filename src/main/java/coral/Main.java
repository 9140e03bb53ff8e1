package coral;

import coral.cli.CommandLine;
import java.io.IOException;

/** Starts Coral: arguments in, exit code out. */
public final class Main {
  private static final String COMMON_POOL_PARALLELISM =
      "java.util.concurrent.ForkJoinPool.common.parallelism";

  /**
   * With a parallelism of 1, which is what two processors give, {@link
   * java.util.concurrent.CompletableFuture} starts a thread for each asynchronous stage instead of
   * using the pool, and every stage after an ask of an actor is one: two threads a call, and a
   * third of the calls that are possible.
   */
  private static final int MIN_PARALLELISM = 2;

  private Main() {}

  /** Runs one command and ends the process with its exit code. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    if (System.getProperty(COMMON_POOL_PARALLELISM) == null) {
      int others = Runtime.getRuntime().availableProcessors() - 1;
      System.setProperty(
          COMMON_POOL_PARALLELISM, Integer.toString(Math.max(MIN_PARALLELISM, others)));
    }
    System.exit(execute(arguments));
  }

  private static int execute(String... arguments) throws IOException, InterruptedException {
    try {
      return CommandLine.execute(arguments);
    } catch (NoClassDefFoundError e) {
      return WholeClassPath.execute(e, arguments);
    }
  }
}
