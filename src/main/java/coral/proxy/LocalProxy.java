package coral.proxy;

import java.net.InetSocketAddress;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorSystem;

/**
 * A listener on this host that forwards what comes to a colony: gRPC, gRPC-Web, Connect and any
 * other HTTP, over HTTP/1.1 and HTTP/2, unchanged and streaming both ways. Callers get 503 with the
 * reason at once while there is no connection to the colony. Thread-safe.
 */
public final class LocalProxy {
  private LocalProxy() {}

  /**
   * Opens the listener. It forwards nothing before {@link #connect}.
   *
   * @return fails with {@link java.io.IOException}, whose message is for people, if the address is
   *     in use or not of this host
   */
  public static CompletionStage<LocalProxy> open(ActorSystem<?> system, ProxyListener listener) {
    throw new UnsupportedOperationException();
  }

  /** Where it listens: with the port that it was given. */
  public InetSocketAddress address() {
    throw new UnsupportedOperationException();
  }

  /**
   * Forwards to this colony from now on. The proxy connects by itself, and again with back-off
   * whenever the connection ends; calls that are under way over an earlier upstream end with it.
   */
  public void connect(Upstream upstream) {
    throw new UnsupportedOperationException();
  }

  /**
   * Forwards nothing until the next {@link #connect}. Calls under way end at once, and callers get
   * 503 with the reason.
   *
   * @param reason for callers: {@code the session with the colony is lost}
   */
  public void disconnect(String reason) {
    throw new UnsupportedOperationException();
  }

  /** Counts, and whether the colony is connected. */
  public ProxyStatistics statistics() {
    throw new UnsupportedOperationException();
  }

  /** Takes no more connections, gives calls under way 3 s to end, and closes. Idempotent. */
  public CompletionStage<Done> close() {
    throw new UnsupportedOperationException();
  }
}
