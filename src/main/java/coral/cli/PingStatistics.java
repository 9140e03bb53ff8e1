package coral.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What became of the echos to one address. */
final class PingStatistics {
  private final List<Duration> answered = new ArrayList<>();
  private int sent;

  /** One more: its round trip, or that it was lost. */
  void add(Optional<Duration> roundTrip) {
    sent++;
    roundTrip.ifPresent(answered::add);
  }

  int sent() {
    return sent;
  }

  int answered() {
    return answered.size();
  }

  /** Of those sent, 0 to 100. */
  double lossPercent() {
    return sent == 0 ? 0 : 100.0 * (sent - answered.size()) / sent;
  }

  /** Without decimals where there are none: {@code "0 %"}, {@code "33.3 %"}. */
  String loss() {
    double loss = lossPercent();
    return (loss == Math.rint(loss)
            ? Long.toString((long) loss)
            : String.format(Locale.ROOT, "%.1f", loss))
        + " %";
  }

  /**
   * The round trip that so many of a hundred do not exceed, by nearest rank; empty if nothing was
   * answered.
   *
   * @param percent 0, the least, to 100, the greatest
   */
  Optional<Duration> percentile(int percent) {
    if (answered.isEmpty()) {
      return Optional.empty();
    }
    List<Duration> sorted = new ArrayList<>(answered);
    Collections.sort(sorted);
    int rank = (int) Math.ceil(percent / 100.0 * sorted.size());
    return Optional.of(sorted.get(Math.max(0, rank - 1)));
  }

  /** {@code "4 sent, 4 answered, 0 % lost, min/p50/p95/p99/max 0.40/0.42/0.51/0.51/0.51 ms"} */
  @Override
  public String toString() {
    String counts = sent + " sent, " + answered.size() + " answered, " + loss() + " lost";
    return answered.isEmpty()
        ? counts
        : counts
            + ", min/p50/p95/p99/max "
            + percentiles()
                .map(time -> String.format(Locale.ROOT, "%.2f", time.orElseThrow().toNanos() / 1e6))
                .collect(Collectors.joining("/"))
            + " ms";
  }

  /** The least, the 50th, 95th and 99th percentile, and the greatest. */
  Stream<Optional<Duration>> percentiles() {
    return Stream.of(0, 50, 95, 99, 100).map(this::percentile);
  }
}
