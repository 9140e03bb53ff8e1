package coral.proxy;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A listener on this host that forwards what comes to a colony: gRPC, gRPC-Web, Connect and any
 * other HTTP, over HTTP/1.1 and HTTP/2, unchanged and streaming both ways. Callers get 503 with the
 * reason at once while there is no connection to the colony. Thread-safe.
 *
 * <p>Everything runs on one thread of its own, to which both legs of every request belong: nothing
 * is handed over, and nothing is locked.
 */
@SuppressWarnings("FutureReturnValueIgnored") // what becomes of a write its channel's end tells
public final class LocalProxy {
  private static final Logger log = LoggerFactory.getLogger(LocalProxy.class);

  private static final long SWEEP_SECONDS = 1;
  private static final long DRAIN_CHECK_MILLIS = 20;

  private final MultiThreadIoEventLoopGroup group;
  private final EventLoop loop;
  private final Forwarder forwarder;
  private final Listener listener;
  private final Channel port;
  private final CompletableFuture<Done> closed = new CompletableFuture<>();
  private boolean closing;

  private LocalProxy(
      MultiThreadIoEventLoopGroup group,
      EventLoop loop,
      Forwarder forwarder,
      Listener listener,
      Channel port) {
    this.group = group;
    this.loop = loop;
    this.forwarder = forwarder;
    this.listener = listener;
    this.port = port;
  }

  /**
   * Opens the listener. It forwards nothing before {@link #connect}.
   *
   * @return fails with {@link IOException}, whose message is for people, if the address is in use
   *     or not of this host
   */
  public static CompletionStage<LocalProxy> open(ActorSystem<?> system, ProxyListener listener) {
    Executor resolver = system.dispatchers().lookup(DispatcherSelector.blocking());
    return open(resolver, listener, ProxyLimits.DEFAULT, InstantSource.system());
  }

  /** The same with its own limits. */
  static CompletionStage<LocalProxy> open(
      Executor resolver, ProxyListener listener, ProxyLimits limits, InstantSource clock) {
    MultiThreadIoEventLoopGroup group =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("coral-proxy", true), NioIoHandler.newFactory());
    EventLoop loop = group.next();
    Forwarder forwarder =
        new Forwarder(
            limits,
            new Guard(listener, clock),
            new UpstreamPool(loop, limits, resolver, clock),
            new ProxyCounters());
    Listener accepting = new Listener(loop, forwarder, listener.remote());
    ChannelFuture binding = accepting.bind(listener.address());
    CompletableFuture<LocalProxy> opened = new CompletableFuture<>();
    binding.addListener(
        bound -> {
          if (bound.isSuccess()) {
            LocalProxy proxy = new LocalProxy(group, loop, forwarder, accepting, binding.channel());
            loop.scheduleWithFixedDelay(
                accepting::sweep, SWEEP_SECONDS, SWEEP_SECONDS, TimeUnit.SECONDS);
            opened.complete(proxy);
          } else {
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
            opened.completeExceptionally(refused(listener.address(), bound.cause()));
          }
        });
    return opened;
  }

  private static IOException refused(InetSocketAddress address, Throwable cause) {
    String where = address.getAddress().getHostAddress() + ":" + address.getPort();
    return new IOException(
        cause instanceof BindException && String.valueOf(cause.getMessage()).contains("in use")
            ? where + " is in use: another proxy or program listens there; choose another port"
            : "cannot listen on " + where + ": " + cause.getMessage(),
        cause);
  }

  /** Where it listens: with the port that it was given. */
  public InetSocketAddress address() {
    return (InetSocketAddress) port.localAddress();
  }

  /**
   * Forwards to this colony from now on. The proxy connects by itself, and again with back-off
   * whenever the connection ends. Calls that are under way over a former upstream go on there, for
   * an hour at most; new ones wait for this one, and go to the former one while it is not reached.
   */
  public void connect(Upstream upstream) {
    loop.execute(() -> forwarder.pool().connect(upstream));
  }

  /**
   * Forwards nothing until the next {@link #connect}. Calls under way end at once, and callers get
   * 503 with the reason.
   *
   * @param reason for callers: {@code the session with the colony is lost}
   */
  public void disconnect(String reason) {
    loop.execute(() -> forwarder.pool().disconnect(reason));
  }

  /** Counts, and whether the colony is connected. */
  public ProxyStatistics statistics() {
    ProxyCounters counters = forwarder.counters();
    UpstreamPool.Link link = forwarder.pool().link();
    return new ProxyStatistics(
        counters.requests.sum(),
        counters.open.get(),
        counters.refused.sum(),
        counters.failed.sum(),
        counters.received.sum(),
        counters.sent.sum(),
        counters.connections.get(),
        link.connected(),
        link.reason(),
        link.since());
  }

  /** Takes no more connections, gives calls under way 3 s to end, and closes. Idempotent. */
  public CompletionStage<Done> close() {
    if (!group.isShuttingDown()) {
      loop.execute(this::drain);
    }
    return closed.minimalCompletionStage();
  }

  private void drain() {
    if (closing) {
      return;
    }
    closing = true;
    port.close();
    listener.drain();
    awaitLast(System.nanoTime() + forwarder.limits().drain().toNanos());
  }

  private void awaitLast(long deadline) {
    if (forwarder.counters().open.get() > 0 && System.nanoTime() < deadline) {
      loop.schedule(() -> awaitLast(deadline), DRAIN_CHECK_MILLIS, TimeUnit.MILLISECONDS);
      return;
    }
    forwarder.pool().disconnect("this proxy has been stopped");
    // What that says to callers leaves before their connections close.
    loop.schedule(
        () -> {
          listener.close();
          group
              .shutdownGracefully(0, 1, TimeUnit.SECONDS)
              .addListener(ended -> closed.complete(Done.getInstance()));
        },
        DRAIN_CHECK_MILLIS,
        TimeUnit.MILLISECONDS);
    log.debug("The proxy on {} closes", port.localAddress());
  }
}
