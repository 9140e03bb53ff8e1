package coral.bench;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;

/** Does one thing again and again. */
final class Repetition {
  /** A fifth of the time more, before it is measured. */
  private static final int SHARE_OF_WARMING = 5;

  private Repetition() {}

  /** How often per second one thread does it. */
  static double rate(Callable<?> work, Duration time) throws Exception {
    count(work, time.dividedBy(SHARE_OF_WARMING)); // compiles the code
    long began = System.nanoTime();
    long done = count(work, time);
    return done * 1e9 / (System.nanoTime() - began);
  }

  /** How often per second all processors together do it, with a thread for each. */
  static double rateOfAll(Callable<?> work, Duration time) throws InterruptedException {
    int processors = Runtime.getRuntime().availableProcessors();
    List<Callable<Double>> threads = Collections.nCopies(processors, () -> rate(work, time));
    return Joining.all(processors, threads).stream().mapToDouble(Double::doubleValue).sum();
  }

  private static long count(Callable<?> work, Duration time) throws Exception {
    long end = System.nanoTime() + time.toNanos();
    long done = 0;
    while (System.nanoTime() < end) {
      work.call();
      done++;
    }
    return done;
  }
}
