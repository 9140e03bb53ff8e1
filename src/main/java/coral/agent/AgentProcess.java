package coral.agent;

import com.typesafe.config.Config;
import coral.agent.observation.HostConnections;
import coral.agent.observation.Observation;
import coral.process.UntilSignal;
import coral.proxy.LocalProxy;
import coral.wireguard.DeviceSettings;
import coral.wireguard.KeyPair;
import coral.wireguard.WireGuardDevice;
import coral.wireguard.embedded.DeviceMode;
import coral.wireguard.embedded.EmbeddedDevice;
import coral.wireguard.embedded.WarmUp;
import java.io.IOException;
import java.io.PrintStream;
import java.net.NetworkInterface;
import java.time.InstantSource;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;

/** A running agent, and the foreground process around it. */
public final class AgentProcess implements AutoCloseable {
  private final ActorSystem<AgentGuardian.Command> system;
  private final CompletableFuture<Integer> exitCode;

  private AgentProcess(
      ActorSystem<AgentGuardian.Command> system, CompletableFuture<Integer> exitCode) {
    this.system = system;
    this.exitCode = exitCode;
  }

  /**
   * Joins the colony and stays until the process gets SIGTERM or SIGINT, or until there is a reason
   * to stop. Whatever the end, the interface is removed before this returns.
   *
   * @param config the whole configuration, for the actor system
   * @param out where {@link AgentSettings#report} is written; the log goes elsewhere
   * @return the exit code: 0 after a signal, or after a join with {@link AgentSettings#once}; 1
   *     when the agent gave up, after it logged why
   */
  public static int run(
      AgentSettings settings, Config config, InstantSource clock, PrintStream out) {
    return UntilSignal.run(
        "agent",
        () -> start(settings, config, clock, out),
        agent -> {
          int code = agent.exitCode.join();
          agent.close();
          return code;
        },
        agent -> {
          agent.stop();
          return agent.exitCode.join();
        });
  }

  /**
   * Starts an agent inside this process, without handlers for signals.
   *
   * @param out where {@link AgentSettings#report} is written
   * @throws ProxyNotStartedException if there is to be a listener, and there cannot be
   */
  public static AgentProcess start(
      AgentSettings settings, Config config, InstantSource clock, PrintStream out) {
    Optional<ProxyLease> lease =
        settings.proxy().isPresent() ? Optional.of(ProxyLease.take(settings)) : Optional.empty();
    CompletableFuture<Integer> ended = new CompletableFuture<>();
    ActorSystem<AgentGuardian.Command> system =
        actorSystem(settings, config, writer(settings, clock, out), ended);
    try {
      system.tell(begin(settings, system, clock, lease));
    } catch (RuntimeException e) {
      system.terminate();
      lease.ifPresent(ProxyLease::close);
      throw e;
    }
    CompletableFuture<Integer> exitCode =
        ended.whenComplete((code, failure) -> lease.ifPresent(ProxyLease::close));
    return new AgentProcess(system, exitCode);
  }

  private static Consumer<AgentEvent> writer(
      AgentSettings settings, InstantSource clock, PrintStream out) {
    boolean isForPeople =
        settings.report() == ReportFormat.TEXT || settings.report() == ReportFormat.VERBOSE;
    return settings.isStandaloneProxy() && isForPeople
        ? new ProxyReport(settings, clock, out)
        : new EventWriter(settings.report(), out);
  }

  private static ActorSystem<AgentGuardian.Command> actorSystem(
      AgentSettings settings,
      Config config,
      Consumer<AgentEvent> writer,
      CompletableFuture<Integer> ended) {
    ActorSystem<AgentGuardian.Command> system =
        ActorSystem.create(
            AgentGuardian.create(settings, writer, ended),
            "coral-agent",
            config
                .getConfig("coral.agent.actor-system")
                .withFallback(
                    // what the actor system has, it may log
                    config
                        .withoutPath("coral.agent.colony-secret")
                        .withoutPath("coral.agent.invitation")));
    system
        .getWhenTerminated()
        .thenRun(() -> ended.complete(1)); // the guardian failed: a defect, already logged
    return system;
  }

  /** Leaves the mesh and removes the interface; {@link #exitCode} tells when that is done. */
  public void stop() {
    system.tell(AgentGuardian.Stop.INSTANCE);
  }

  /** Completed once the interface is removed: 0, or 1 if the agent gave up. */
  public CompletionStage<Integer> exitCode() {
    return exitCode.minimalCompletionStage();
  }

  /** Stops the agent and waits for its threads. */
  @Override
  public void close() {
    stop();
    exitCode.join();
    system.getWhenTerminated().toCompletableFuture().join();
  }

  private static AgentGuardian.Begin begin(
      AgentSettings settings,
      ActorSystem<?> system,
      InstantSource clock,
      Optional<ProxyLease> lease) {
    Executor blocking =
        system
            .dispatchers()
            .lookup(DispatcherSelector.fromConfig("coral.agent.blocking-dispatcher"));
    AgentFiles files = new AgentFiles(settings.directory(), settings.agentId());
    DeviceMode mode = settings.device().mode().resolved();
    CompletableFuture<Void> warm = CompletableFuture.runAsync(() -> WarmUp.run(mode), blocking);
    Tunnel tunnel =
        new Tunnel(
            new Tunnel.Opener() {
              @Override
              public void prepare() {
                warm.join();
              }

              @Override
              public WireGuardDevice open() throws IOException {
                KeyPair keys =
                    settings.isStandaloneProxy() ? KeyPair.generate() : files.wireGuardKeys();
                return openDevice(settings, keys, mode, clock);
              }
            },
            clock);
    ColonyClient colony = new RemoteColony(settings, system, blocking);
    DiscoveryClient discovery = new RemoteDiscovery(settings.callTimeout());
    Enrolment enrolment = new Enrolment(settings, files, discovery, colony, clock);
    JoinSteps steps =
        new JoinSteps(settings, enrolment, discovery, colony, tunnel, System::nanoTime);
    AgentDependencies dependencies =
        new AgentDependencies(
            settings,
            steps,
            enrolment,
            colony,
            tunnel,
            observer(settings, mode),
            mode == DeviceMode.TUN,
            clock,
            System::nanoTime,
            () -> ThreadLocalRandom.current().nextDouble(),
            () -> UUID.randomUUID().toString(),
            blocking);
    Optional<Forwarding.Setting> forwarding =
        lease.map(
            held -> {
              LocalProxy proxy = open(settings, system);
              return new Forwarding.Setting(
                  settings,
                  proxy,
                  ProxySettings.endpoint(proxy.address()),
                  held.directory(),
                  tunnel,
                  inProcess(settings, mode),
                  clock);
            });
    return new AgentGuardian.Begin(
        listener -> MeshMember.create(dependencies, listener),
        forwarding.map(setting -> listener -> Forwarding.create(setting, listener)));
  }

  private static LocalProxy open(AgentSettings settings, ActorSystem<?> system) {
    try {
      return LocalProxy.open(system, settings.proxy().orElseThrow().listener())
          .toCompletableFuture()
          .join();
    } catch (CompletionException e) {
      throw new ProxyNotStartedException(
          ProxyNotStartedException.Reason.ADDRESS,
          String.valueOf(e.getCause() == null ? e.getMessage() : e.getCause().getMessage()),
          e);
    }
  }

  /** Why no program of this host can use the tunnel; empty if they can. */
  private static Optional<String> inProcess(AgentSettings settings, DeviceMode mode) {
    if (mode == DeviceMode.TUN) {
      return Optional.empty();
    }
    String reason =
        settings.device().mode() == DeviceMode.AUTO ? DeviceMode.unavailableReason() : "";
    return Optional.of(
        reason.isEmpty()
            ? "coral.agent.device.mode is user-space"
            : "no network interface can be made here: " + reason);
  }

  /** A tunnel that ends inside this process carries no connections of the host. */
  private static Function<Membership, Optional<Observation>> observer(
      AgentSettings settings, DeviceMode mode) {
    if (mode != DeviceMode.TUN || !settings.observeConnections()) {
      return membership -> Optional.empty();
    }
    HostConnections host = new HostConnections();
    return membership -> host.observe(membership.own(), membership.subnet());
  }

  private static WireGuardDevice openDevice(
      AgentSettings settings, KeyPair keys, DeviceMode mode, InstantSource clock)
      throws IOException {
    AgentSettings.Device device = settings.device();
    String name =
        settings.isStandaloneProxy() ? freeName(device.interfaceName()) : device.interfaceName();
    return EmbeddedDevice.open(
        mode, new DeviceSettings(name, keys, device.listenPort(), device.mtu(), false), clock);
  }

  /** Ids of two colonies may end alike. */
  private static String freeName(String wanted) throws IOException {
    String name = wanted;
    for (int i = 2; NetworkInterface.getByName(name) != null && i < 10; i++) {
      name = wanted.substring(0, wanted.length() - 1) + i;
    }
    return name;
  }
}
