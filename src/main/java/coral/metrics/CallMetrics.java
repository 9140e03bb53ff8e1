package coral.metrics;

import coral.model.Failure;
import coral.rpc.CallListener;
import java.time.Duration;
import java.util.Optional;

/**
 * How many calls there were of each rpc, with which result, and how long they took: {@code
 * coral_rpc_handling_seconds}. Its labels are the rpcs that are served and {@link Failure}.
 */
public final class CallMetrics implements CallListener {
  private final Metrics metrics;

  public CallMetrics(Metrics metrics) {
    this.metrics = metrics;
  }

  @Override
  public void answered(String rpc, Optional<Failure> failure, Duration took) {
    metrics
        .timer(
            "coral.rpc.handling",
            "Calls by rpc and result, and how long they took",
            new Label("rpc", rpc),
            failure.map(why -> Label.of("result", why)).orElseGet(() -> new Label("result", "ok")))
        .record(took);
  }
}
