package coral.agent;

import coral.model.Endpoint;
import coral.proxy.LocalProxy;
import coral.proxy.ProxyDirectory;
import coral.proxy.ProxyState;
import coral.proxy.ProxyState.Status;
import coral.proxy.ProxyStatistics;
import coral.proxy.RunningProcess;
import coral.proxy.Upstream;
import coral.proxy.Way;
import coral.rpc.CallerIdentity;
import coral.rpc.ClientCertificate;
import coral.rpc.Role;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Has the listener on this host forward to where the member's events say that the colony is, and
 * tells commands so by {@link ProxyState}. Writes files, so it runs where blocking is allowed.
 */
final class Forwarding extends AbstractBehavior<Forwarding.Command> {
  sealed interface Command {}

  /** Of the member, in order. */
  record Happened(AgentEvent event) implements Command {}

  /**
   * Takes no more requests, and ends when those under way have ended or had their time.
   *
   * @param replyTo hears of the end
   */
  record Close(ActorRef<Done> replyTo) implements Command {}

  private record Closed(ActorRef<Done> replyTo) implements Command {}

  private enum Look implements Command {
    INSTANCE
  }

  /** The proxy does not tell when it has connected, or has lost the connection. */
  private static final Duration LOOK = Duration.ofSeconds(1);

  /** While somebody waits for it to connect, which takes milliseconds. */
  private static final Duration LOOK_SOON = Duration.ofMillis(10);

  private static final int SOON_LOOKS = 300;

  /**
   * What forwards and who is told.
   *
   * @param inProcess why the tunnel ends inside this process, of no use to other programs; empty if
   *     it ends at an interface of the host
   */
  record Setting(
      AgentSettings settings,
      LocalProxy proxy,
      Endpoint listen,
      ProxyDirectory directory,
      Tunnel tunnel,
      Optional<String> inProcess,
      InstantSource clock) {}

  private final Setting with;
  private final TimerScheduler<Command> timers;
  private final ActorRef<AgentEvent> listener;
  private final Instant startedAt;
  private final RunningProcess process = RunningProcess.current();

  /** What there is of the colony; empty before the first join. */
  private @Nullable JoinResult join;

  private @Nullable Credentials credentials;
  private @Nullable ProbeResult probe;

  /** Where requests are to go; empty while the colony is away. */
  private @Nullable Route route;

  /** What they are shown with there. */
  private @Nullable Credentials routed;

  /** Whether they do, as it was told. */
  private boolean isConnected;

  private boolean wasConnected;
  private int looks;

  private String reason = "the proxy has not reached the colony yet";
  private Instant since;
  private boolean closing;

  /**
   * @param listener hears of each {@link AgentEvent.Forwarding}
   */
  static Behavior<Command> create(Setting setting, ActorRef<AgentEvent> listener) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(timers -> new Forwarding(context, timers, setting, listener)));
  }

  private Forwarding(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Setting setting,
      ActorRef<AgentEvent> listener) {
    super(context);
    this.timers = timers;
    this.with = setting;
    this.listener = listener;
    this.startedAt = setting.clock().instant();
    this.since = startedAt;
    with.proxy().disconnect(reason);
    tell();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Happened.class, happened -> closing ? this : onEvent(happened.event()))
        .onMessageEquals(Look.INSTANCE, this::onLook)
        .onMessage(Close.class, this::onClose)
        .onMessage(Closed.class, this::onClosed)
        .build();
  }

  private Behavior<Command> onEvent(AgentEvent event) {
    if (event instanceof AgentEvent.Joined joined) {
      join = joined.result();
      credentials = joined.result().credentials();
      probe = joined.result().probe();
      forward(true);
    } else if (event instanceof AgentEvent.Renewed renewed) {
      // Before anybody shows it to the colony, which refuses the former one from then on.
      credentials = renewed.credentials();
      forward(false);
    } else if (event instanceof AgentEvent.Probed probed) {
      probe = probed.result();
      forward(false);
    } else if (event instanceof AgentEvent.SessionLost lost) {
      away(lost.reason().message());
    } else if (event instanceof AgentEvent.Failed failed) {
      away(failed.failure().message());
    }
    return this;
  }

  /**
   * @param begins whether also if it forwards nothing
   */
  private void forward(boolean begins) {
    JoinResult member = join;
    Credentials shown = credentials;
    if (member == null || shown == null || (route == null && !begins)) {
      return; // a probe that is answered is no session
    }
    Route next = routeTo(member, shown);
    Route former = route;
    boolean isSame =
        former != null
            && former.upstream().endpoints().equals(next.upstream().endpoints())
            && former.fallback().equals(next.fallback());
    if (isSame && areSame(routed, shown)) {
      return; // the proxy keeps the connection by itself
    }
    if (former != null && isSilent(former, next)) {
      with.proxy().disconnect("the tunnel does not answer at " + first(former));
    }
    with.settings()
        .proxy()
        .flatMap(proxy -> proxy.listener().remote())
        .ifPresent(remote -> remote.roots().replace(shown.trust().roots()));
    with.proxy().connect(next.upstream());
    route = next;
    routed = shown;
    if (isSame) {
      return;
    }
    isConnected = false;
    looks = 0;
    timers.startSingleTimer(Look.INSTANCE, LOOK_SOON);
  }

  private Behavior<Command> onLook() {
    Route current = route;
    if (closing || current == null) {
      return this;
    }
    ProxyStatistics statistics = with.proxy().statistics();
    boolean isUp = statistics.connected();
    if (isUp && !isConnected) {
      isConnected = true;
      wasConnected = true;
      since = with.clock().instant();
      tell();
      announce(current);
    } else if (!isUp && (isConnected || !statistics.reason().equals(Optional.of(reason)))) {
      since = isConnected ? with.clock().instant() : since;
      isConnected = false;
      reason = statistics.reason().orElse("");
      tell();
    }
    looks++;
    boolean isSoon = !isConnected && looks < SOON_LOOKS;
    timers.startSingleTimer(Look.INSTANCE, isSoon ? LOOK_SOON : LOOK);
    return this;
  }

  private void announce(Route next) {
    if (next.upstream().role() == Role.AGENT) {
      getContext()
          .getLog()
          .warn(
              "This host has a certificate of the role 'agent', which may not ask the colony"
                  + " anything: callers of the proxy are refused, unless they prove another role;"
                  + " join under another id with an invitation of the role proxy (coral invite"
                  + " --role proxy)");
    }
    getContext().getLog().info("Requests to {}", next);
    listener.tell(new AgentEvent.Forwarding(next));
  }

  /** A connection that serves until the next one is there must answer. */
  private static boolean isSilent(Route former, Route next) {
    return former.upstream().way() == Way.MESH
        && !next.upstream().endpoints().contains(first(former));
  }

  private static boolean areSame(@Nullable Credentials former, Credentials next) {
    return former != null
        && former.trust().equals(next.trust())
        && former.identity().chain().equals(next.identity().chain());
  }

  private static Endpoint first(Route route) {
    return route.upstream().endpoints().get(0);
  }

  private Route routeTo(JoinResult member, Credentials shown) {
    Optional<String> fallback = fallback(member);
    List<Endpoint> endpoints = new ArrayList<>();
    if (fallback.isEmpty()) {
      int port = member.endpoint().port();
      ProbeResult answered = probe == null ? member.probe() : probe;
      if (answered.ipv4().isPresent()) {
        endpoints.add(new Endpoint(member.membership().colony().ipv4Text(), port));
      }
      if (answered.ipv6().isPresent()) {
        endpoints.add(new Endpoint(member.membership().colony().ipv6Text(), port));
      }
    } else {
      endpoints.add(member.endpoint());
    }
    SSLContext tls =
        shown
            .trust()
            .tls(
                with.settings().colonyId(),
                Optional.of(
                    new ClientCertificate(shown.identity().key(), shown.identity().chain())));
    return new Route(
        with.listen(),
        new Upstream(
            endpoints,
            tls,
            role(shown.identity().certificate()),
            fallback.isEmpty() ? Way.MESH : Way.PUBLIC),
        fallback);
  }

  private Optional<String> fallback(JoinResult member) {
    if (with.inProcess().isPresent()) {
      return with.inProcess();
    }
    Optional<String> other = with.tunnel().yieldsTo();
    if (other.isPresent()) {
      return Optional.of(
          "the interface "
              + other.get()
              + " of this host is in "
              + member.membership().subnet().ipv4()
              + " already");
    }
    ProbeResult answered = probe == null ? member.probe() : probe;
    return answered.isAnswered()
        ? Optional.empty()
        : Optional.of(
            "there is no echo through the tunnel; is UDP to "
                + member.membership().colonyEndpoints().get(0)
                + " let through?");
  }

  /** That of the only URI, {@code spiffe://colony/role/id}: {@link AgentCertificate} saw to it. */
  private static Role role(X509Certificate certificate) {
    String uri = CallerIdentity.uris(certificate).get(0);
    String[] parts = uri.split("/", -1);
    return parts[parts.length - 2].equals(Role.PROXY.wireName()) ? Role.PROXY : Role.AGENT;
  }

  private void away(String why) {
    if (route == null && reason.equals(why)) {
      return;
    }
    if (isConnected) {
      since = with.clock().instant();
    }
    route = null;
    isConnected = false;
    reason = why;
    with.proxy().disconnect(why);
    tell();
  }

  private Behavior<Command> onClose(Close close) {
    closing = true;
    getContext().pipeToSelf(with.proxy().close(), (done, failure) -> new Closed(close.replyTo()));
    return this;
  }

  private Behavior<Command> onClosed(Closed closed) {
    closed.replyTo().tell(Done.getInstance());
    return Behaviors.stopped();
  }

  private void tell() {
    try {
      with.directory().write(state());
    } catch (IOException e) {
      getContext()
          .getLog()
          .warn("Commands do not learn how the proxy is: {}", String.valueOf(e.getMessage()));
    }
  }

  private ProxyState state() {
    Optional<Route> connected = Optional.ofNullable(route).filter(current -> isConnected);
    Optional<Upstream> upstream = connected.map(Route::upstream);
    return new ProxyState(
        with.settings().colonyId(),
        with.settings().agentId(),
        process,
        !with.settings().isStandaloneProxy(),
        with.listen(),
        with.settings().proxy().orElseThrow().listener().remote().isPresent(),
        Optional.ofNullable(join).map(this::mesh),
        upstream.map(Upstream::way),
        upstream.map(to -> to.endpoints().get(0)),
        connected.flatMap(Route::fallback),
        upstream
            .map(Upstream::role)
            .or(
                () ->
                    Optional.ofNullable(credentials)
                        .map(shown -> role(shown.identity().certificate()))),
        isConnected ? Status.CONNECTED : wasConnected ? Status.OFFLINE : Status.CONNECTING,
        isConnected ? Optional.empty() : Optional.of(reason),
        since,
        startedAt);
  }

  private ProxyState.Mesh mesh(JoinResult member) {
    Membership membership = member.membership();
    return new ProxyState.Mesh(
        membership.own().ipv4Text(),
        membership.own().ipv6Text(),
        membership.colony().ipv4Text(),
        membership.colony().ipv6Text(),
        member.endpoint().port(),
        with.inProcess().isPresent() ? "" : with.tunnel().name());
  }
}
