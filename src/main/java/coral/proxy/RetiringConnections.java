package coral.proxy;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Connections to the colony that take no more requests, for as long as those under way on them
 * last: a call, or a stream such as that of who watches, does not end because the proxy's
 * certificate or the way to the colony is another. On the event loop alone.
 */
final class RetiringConnections {
  private final EventLoop loop;
  private final ProxyLimits limits;

  /** The end of each one's time; the one that retired first comes first. */
  private final Map<UpstreamConnection, Future<?>> ends = new LinkedHashMap<>();

  RetiringConnections(EventLoop loop, ProxyLimits limits) {
    this.loop = loop;
    this.limits = limits;
  }

  /** Keeps it until its last request has ended, but no longer than the limits say. */
  void add(UpstreamConnection connection) {
    connection.retire();
    if (connection.requests() == 0) {
      return; // it is closed already
    }
    if (ends.size() >= limits.retiringConnections()) {
      UpstreamConnection oldest = ends.keySet().iterator().next();
      oldest.close(
          "the connection to the colony was replaced more than "
              + limits.retiringConnections()
              + " times since this call began: call again");
    }
    Future<?> end =
        loop.schedule(
            () -> connection.close("its connection to the colony was replaced " + ago()),
            limits.retirement().toMillis(),
            TimeUnit.MILLISECONDS);
    ends.put(connection, end);
  }

  private String ago() {
    Duration time = limits.retirement();
    String text = time.toMinutes() > 0 ? time.toMinutes() + " minutes" : time.toMillis() + " ms";
    return text + " ago: call again";
  }

  /** It has ended. */
  void remove(UpstreamConnection connection) {
    Future<?> end = ends.remove(connection);
    if (end != null) {
      end.cancel(false);
    }
  }

  /** Ends them with everything that is under way. */
  void close(String reason) {
    Map.copyOf(ends).keySet().forEach(connection -> connection.close(reason));
  }
}
