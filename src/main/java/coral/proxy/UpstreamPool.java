package coral.proxy;

import coral.model.Endpoint;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The connections to the colony: one while few requests are under way, more when those are full.
 * While there is none, requests are refused at once, and the colony is tried again with back-off.
 * On the event loop alone, but for {@link #link}.
 */
@SuppressWarnings("FutureReturnValueIgnored") // what becomes of a write its channel's end tells
final class UpstreamPool implements UpstreamConnection.Listener {
  /** A connection that ends sooner is as good as none for the back-off. */
  private static final Duration STEADY = Duration.ofSeconds(5);

  /**
   * Whether the colony is connected.
   *
   * @param reason why not; empty if it is
   * @param since when it changed
   */
  record Link(Optional<String> reason, Instant since) {
    boolean connected() {
      return reason.isEmpty();
    }
  }

  private final EventLoop loop;
  private final ProxyLimits limits;
  private final Executor resolver;
  private final InstantSource clock;
  private final List<UpstreamConnection> connections = new ArrayList<>();

  /** Of an upstream before this one: used if this one cannot be reached at once. */
  private final List<UpstreamConnection> former = new ArrayList<>();

  private final RetiringConnections retiring;

  private final List<UpstreamConnection> opening = new ArrayList<>();

  /** Who hears of it when one that opens does not become ready. */
  private final Map<UpstreamConnection, Consumer<String>> failed = new LinkedHashMap<>();

  private final Map<Exchange, Future<?>> waiting = new LinkedHashMap<>();
  private volatile Link link;
  private @Nullable Upstream upstream;
  private @Nullable Future<?> retry;

  /** Tells what was begun for an upstream that is no more. */
  private int generation;

  /** Whether requests wait for this upstream, and do not go to the former one. */
  private boolean replacing;

  private int failures;
  private int resolving;
  private long connectedAt;

  /**
   * @param resolver for look-ups of host names, which block
   */
  UpstreamPool(EventLoop loop, ProxyLimits limits, Executor resolver, InstantSource clock) {
    this.loop = loop;
    this.limits = limits;
    this.resolver = resolver;
    this.clock = clock;
    this.retiring = new RetiringConnections(loop, limits);
    this.link = new Link(Optional.of("this proxy is not connected yet"), clock.instant());
  }

  Link link() {
    return link;
  }

  /**
   * Connects to this one. New requests wait for it, as a colony may refuse what is shown to it over
   * the former one from the moment when it sees this one's certificate; they go to the former one
   * if this one cannot be reached at once.
   */
  void connect(Upstream next) {
    generation++;
    upstream = next;
    former.addAll(connections);
    connections.clear();
    abandonAttempts();
    replacing = !former.isEmpty();
    if (replacing) {
      int begun = generation;
      loop.schedule(
          () -> {
            if (begun == generation) {
              useFormer();
            }
          },
          limits.connect().toMillis(),
          TimeUnit.MILLISECONDS);
    } else {
      offline("connecting to the colony at " + next);
    }
    attempt(next, 0);
  }

  private void useFormer() {
    replacing = false;
    serve();
  }

  /** Ends everything, until the next {@link #connect}. */
  void disconnect(String reason) {
    generation++;
    upstream = null;
    abandonAttempts();
    offline(reason);
    List<UpstreamConnection> all = new ArrayList<>(connections);
    all.addAll(former);
    connections.clear();
    former.clear();
    all.forEach(connection -> connection.close(reason));
    retiring.close(reason);
  }

  private void abandonAttempts() {
    failures = 0;
    resolving = 0;
    if (retry != null) {
      retry.cancel(false);
    }
    List<UpstreamConnection> abandoned = List.copyOf(opening);
    opening.clear();
    abandoned.forEach(connection -> connection.close("it is not needed any more"));
  }

  // --- requests

  /** Finds a stream for a request, now or soon, or tells it that there is none. */
  void open(Exchange exchange) {
    if (!link.connected()) {
      exchange.unavailable(link.reason().orElse(""));
      return;
    }
    Optional<UpstreamConnection> free = free();
    if (free.isPresent()) {
      free.get().carry(exchange);
    } else {
      Future<?> timeout =
          loop.schedule(
              () -> {
                waiting.remove(exchange);
                exchange.unavailable("the colony takes no more requests at once from this proxy");
              },
              limits.waiting().toMillis(),
              TimeUnit.MILLISECONDS);
      waiting.put(exchange, timeout);
      grow();
    }
  }

  /** A request that waits for a stream does not want one any more. */
  void forget(Exchange exchange) {
    Future<?> timeout = waiting.remove(exchange);
    if (timeout != null) {
      timeout.cancel(false);
    }
  }

  private Optional<UpstreamConnection> free() {
    if (replacing) {
      return Optional.empty();
    }
    List<UpstreamConnection> all = connections.isEmpty() ? former : connections;
    return all.stream()
        .filter(UpstreamConnection::hasRoom)
        .min(Comparator.comparingInt(UpstreamConnection::requests));
  }

  private void serve() {
    while (!waiting.isEmpty()) {
      Optional<UpstreamConnection> free = free();
      if (free.isEmpty()) {
        grow();
        return;
      }
      Exchange first = waiting.keySet().iterator().next();
      forget(first);
      free.get().carry(first);
    }
  }

  /** Opens as many more connections as those that wait would fill. */
  private void grow() {
    Upstream current = upstream;
    if (current == null || connections.isEmpty()) {
      return;
    }
    Endpoint endpoint = connections.get(0).endpoint();
    int needed = (waiting.size() - 1) / limits.streamsPerConnection() + 1;
    int attempts = opening.size() + resolving;
    while (attempts < needed && connections.size() + attempts < limits.upstreamConnections()) {
      attempts++;
      dial(current, endpoint, why -> growLater());
    }
  }

  /** Nothing else may happen that would wake up those that wait. */
  private void growLater() {
    int begun = generation;
    loop.schedule(
        () -> {
          if (begun == generation && !waiting.isEmpty()) {
            grow();
          }
        },
        limits.firstRetry().toMillis(),
        TimeUnit.MILLISECONDS);
  }

  private void failWaiting(String reason) {
    List<Exchange> all = List.copyOf(waiting.keySet());
    all.forEach(
        exchange -> {
          forget(exchange);
          exchange.unavailable(reason);
        });
  }

  // --- connections

  /** Tries the endpoints in their order, and then again later. */
  private void attempt(Upstream to, int index) {
    Endpoint endpoint = to.endpoints().get(index);
    int begun = generation;
    dial(
        to,
        endpoint,
        why -> {
          if (begun != generation) {
            return;
          }
          if (former.isEmpty() && connections.isEmpty()) {
            offline("cannot reach the colony at " + endpoint + ", " + to.way() + ": " + why);
          }
          useFormer();
          if (index + 1 < to.endpoints().size()) {
            attempt(to, index + 1);
          } else if (connections.isEmpty()) {
            retryLater(to);
          }
        });
  }

  private void retryLater(Upstream to) {
    long first = limits.firstRetry().toMillis();
    long longest = limits.longestRetry().toMillis();
    long delay = Math.min(first << Math.min(failures, 16), longest);
    failures++;
    int begun = generation;
    retry =
        loop.schedule(
            () -> {
              if (begun == generation) {
                attempt(to, 0);
              }
            },
            ThreadLocalRandom.current().nextLong(delay / 2, delay + 1),
            TimeUnit.MILLISECONDS);
  }

  private void dial(Upstream to, Endpoint endpoint, Consumer<String> onFailure) {
    int begun = generation;
    resolving++;
    resolver.execute(
        () -> {
          InetAddress[] address = new InetAddress[1];
          String[] why = new String[1];
          try {
            address[0] = InetAddress.getByName(endpoint.host());
          } catch (UnknownHostException e) {
            why[0] = "no such host";
          }
          loop.execute(() -> resolved(to, endpoint, begun, address[0], why[0], onFailure));
        });
  }

  private void resolved(
      Upstream to,
      Endpoint endpoint,
      int begun,
      @Nullable InetAddress address,
      @Nullable String why,
      Consumer<String> onFailure) {
    if (begun != generation) {
      return;
    }
    resolving--;
    if (address == null) {
      onFailure.accept(String.valueOf(why));
      return;
    }
    UpstreamConnection connection =
        UpstreamConnection.open(loop, endpoint, address, to.tls(), to.role(), limits, this);
    opening.add(connection);
    failed.put(connection, onFailure);
  }

  @Override
  public void ready(UpstreamConnection connection) {
    failed.remove(connection);
    if (!opening.remove(connection)) {
      connection.close("it is not needed any more");
      return;
    }
    connections.add(connection);
    replacing = false;
    List<UpstreamConnection> replaced = List.copyOf(former);
    former.clear();
    replaced.forEach(retiring::add);
    if (connections.size() == 1) {
      connectedAt = System.nanoTime();
    }
    if (!link.connected()) {
      link = new Link(Optional.empty(), clock.instant());
    }
    serve();
  }

  /** One more than is needed is not kept. */
  @Override
  public void streamEnded(UpstreamConnection connection) {
    serve();
    if (connection.requests() == 0 && connections.size() > 1 && connections.remove(connection)) {
      retiring.add(connection);
    }
  }

  @Override
  public void draining(UpstreamConnection connection) {
    lost(connection, "the colony is going away");
    retiring.add(connection);
  }

  @Override
  public void closed(UpstreamConnection connection) {
    retiring.remove(connection);
    Consumer<String> onFailure = failed.remove(connection);
    if (onFailure != null && opening.remove(connection)) {
      onFailure.accept(connection.whyClosed());
    } else {
      lost(connection, "the connection to the colony is lost: " + connection.whyClosed());
    }
  }

  /** The last one that took requests takes the proxy offline, and a new one is due. */
  private void lost(UpstreamConnection connection, String why) {
    boolean one = connections.remove(connection) || former.remove(connection);
    Upstream to = upstream;
    if (!one || to == null || !connections.isEmpty()) {
      return;
    }
    boolean stillTrying = !opening.isEmpty() || resolving > 0 || (retry != null && !retry.isDone());
    if (former.isEmpty()) {
      offline(why);
    }
    if (!stillTrying) {
      boolean steady = System.nanoTime() - connectedAt > STEADY.toNanos();
      failures = steady ? 0 : failures + 1;
      retryLater(to);
    }
  }

  private void offline(String reason) {
    if (!link.reason().equals(Optional.of(reason))) {
      Instant since = link.connected() ? clock.instant() : link.since();
      link = new Link(Optional.of(reason), since);
    }
    failWaiting(reason);
  }
}
