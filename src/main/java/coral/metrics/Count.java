package coral.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Meter.MeterProvider;

/** How often something has happened since the process started. Thread-safe. */
public final class Count {
  private final MeterProvider<Counter> counters;

  Count(MeterProvider<Counter> counters) {
    this.counters = counters;
  }

  /** It has happened once more. */
  public void add(Label... labels) {
    add(1, labels);
  }

  /** It has happened so many times more. */
  public void add(long times, Label... labels) {
    counters.withTags(Metrics.tags(labels)).increment((double) times);
  }

  /**
   * Shows that it has not happened yet: Prometheus computes the growth of a number from one that it
   * has seen before.
   */
  public void begin(Label... labels) {
    add(0, labels);
  }
}
