package coral.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * The numbers of one process, those of its virtual machine included. Names have words between dots;
 * in the text they become {@code coral_sessions_open} and, of what is counted, {@code ..._total}.
 * Thread-safe.
 */
public final class Metrics implements AutoCloseable {
  /** What {@link #text} is written in (Prometheus, "Exposition formats", version 0.0.4). */
  public static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final JvmGcMetrics collections = new JvmGcMetrics();

  public Metrics() {
    collections.bindTo(registry);
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ClassLoaderMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new FileDescriptorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
  }

  /** Something to count, which begins at 0. */
  public Count count(String name, String help) {
    return new Count(Counter.builder(name).description(help).withRegistry(registry));
  }

  /** A number that somebody else counts and that only grows. */
  public void count(String name, String help, Supplier<? extends Number> counted) {
    FunctionCounter.builder(name, counted, each -> each.get().doubleValue())
        .description(help)
        .register(registry);
  }

  /** A number that is asked for whenever somebody reads it: must not block. */
  public void gauge(String name, String help, Supplier<? extends Number> present, Label... labels) {
    Gauge.builder(name, present, each -> each.get().doubleValue())
        .description(help)
        .tags(tags(labels))
        .strongReference(true)
        .register(registry);
  }

  /** How many calls there were and how long they took. */
  Timer timer(String name, String help, Label... labels) {
    return Timer.builder(name).description(help).tags(tags(labels)).register(registry);
  }

  static Iterable<Tag> tags(Label... labels) {
    return Tags.of(
        Arrays.stream(labels).map(label -> Tag.of(label.name(), label.value())).toList());
  }

  /** All numbers as they are now. */
  public String text() {
    return registry.scrape();
  }

  @Override
  public void close() {
    collections.close();
    registry.close();
  }
}
