package coral.agent;

import com.typesafe.config.Config;
import coral.agent.observation.HostConnections;
import coral.agent.observation.Observation;
import coral.process.UntilSignal;
import coral.wireguard.DeviceSettings;
import coral.wireguard.KeyPair;
import coral.wireguard.WireGuardDevice;
import coral.wireguard.embedded.DeviceMode;
import coral.wireguard.embedded.EmbeddedDevice;
import coral.wireguard.embedded.WarmUp;
import java.io.IOException;
import java.io.PrintStream;
import java.time.InstantSource;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

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
   */
  public static AgentProcess start(
      AgentSettings settings, Config config, InstantSource clock, PrintStream out) {
    CompletableFuture<Integer> exitCode = new CompletableFuture<>();
    EventWriter writer = new EventWriter(settings.report(), out);
    ActorSystem<AgentGuardian.Command> system =
        ActorSystem.create(
            Behaviors.setup(
                context ->
                    AgentGuardian.create(
                        settings,
                        writer,
                        listener -> join(settings, context.getSystem(), clock, listener),
                        exitCode)),
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
        .thenRun(() -> exitCode.complete(1)); // the guardian failed: a defect, already logged
    return new AgentProcess(system, exitCode);
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

  private static Behavior<MeshMember.Command> join(
      AgentSettings settings,
      ActorSystem<?> system,
      InstantSource clock,
      ActorRef<AgentEvent> listener) {
    Executor blocking =
        system
            .dispatchers()
            .lookup(DispatcherSelector.fromConfig("coral.agent.blocking-dispatcher"));
    AgentFiles files = new AgentFiles(settings.home(), settings.agentId());
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
                return openDevice(settings.device(), files.wireGuardKeys(), mode, clock);
              }
            },
            clock);
    ColonyClient colony = new RemoteColony(settings, system, blocking);
    DiscoveryClient discovery = new RemoteDiscovery(settings.callTimeout());
    Enrolment enrolment = new Enrolment(settings, files, discovery, colony, clock);
    JoinSteps steps =
        new JoinSteps(settings, enrolment, discovery, colony, tunnel, System::nanoTime);
    return MeshMember.create(
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
            blocking),
        listener);
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
      AgentSettings.Device device, KeyPair keys, DeviceMode mode, InstantSource clock)
      throws IOException {
    DeviceSettings settings =
        new DeviceSettings(device.interfaceName(), keys, device.listenPort(), device.mtu(), false);
    return EmbeddedDevice.open(mode, settings, clock);
  }
}
