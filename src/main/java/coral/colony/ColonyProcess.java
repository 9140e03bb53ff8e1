package coral.colony;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.address.Allocation;
import coral.address.AllocationEvent;
import coral.address.IpAllocator;
import coral.api.colony.v1.ColonyService;
import coral.api.colony.v1.ColonyServiceHandlerFactory;
import coral.api.mesh.v1.MeshService;
import coral.api.mesh.v1.MeshServiceHandlerFactory;
import coral.certificate.Authority;
import coral.certificate.CertificateAuthority;
import coral.certificate.CertificateIndex;
import coral.certificate.CertificateSettings;
import coral.certificate.Identity;
import coral.model.AgentId;
import coral.model.Endpoint;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.model.Secret;
import coral.rpc.CallerIdentity;
import coral.rpc.FailureStatus;
import coral.rpc.RpcServer;
import coral.rpc.ServerTls;
import coral.session.AgentSession;
import coral.session.PresenceDirectory;
import coral.storage.AllocationReadModel;
import coral.storage.DuckDbFile;
import coral.storage.Projection;
import coral.storage.StoreException;
import coral.wireguard.KeyPair;
import coral.wireguard.WireGuardDevice;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.cluster.typed.SingletonActor;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.Uri;
import org.apache.pekko.management.javadsl.PekkoManagement;
import org.apache.pekko.stream.UniqueKillSwitch;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One running colony; {@link #start} is its wiring diagram, in the order in which things start. A
 * step that fails undoes those before it.
 */
public final class ColonyProcess implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ColonyProcess.class);

  /** A journal of years is read in seconds; what takes longer hangs. */
  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);

  private static final Duration STOP_STEP_TIMEOUT = Duration.ofSeconds(2);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(15);

  /** Ten silent intervals end a session; a stream that says nothing for longer has none. */
  private static final int STREAM_IDLE_INTERVALS = 11;

  /** A request for a certificate carries at most 16 KiB of PEM, and a stranger may send it. */
  private static final int MAX_CERTIFICATE_REQUEST_BYTES = 24 << 10;

  private interface Step<T> {
    T run() throws IOException;
  }

  /** What was started, to be stopped last first. */
  private final Deque<Runnable> stopping = new ArrayDeque<>();

  private final ColonySettings settings;
  private final InstantSource clock;
  private final CountDownLatch stopped = new CountDownLatch(1);
  private InetSocketAddress rpcAddress = new InetSocketAddress(0);
  private InetSocketAddress managementAddress = new InetSocketAddress(0);
  private int wireGuardPort;
  private @Nullable Hub hub;
  private boolean closed;

  private ColonyProcess(ColonySettings settings, InstantSource clock) {
    this.settings = settings;
    this.clock = clock;
  }

  /**
   * Starts a colony and waits until its port is open and everything behind it works.
   *
   * @param config the whole configuration, the colony's own {@code colony.conf} laid over it
   * @throws coral.settings.SettingsException if a setting is wrong
   * @throws IOException if a file, the database, the device or a port cannot be used; the message
   *     is for people. Nothing is left behind then.
   */
  public static ColonyProcess start(Config config, InstantSource clock) throws IOException {
    ColonyProcess colony = new ColonyProcess(ColonySettings.from(config), clock);
    try {
      colony.startAll(config);
      return colony;
    } catch (IOException | RuntimeException e) {
      colony.close();
      throw e;
    }
  }

  private void startAll(Config config) throws IOException {
    final long begin = System.nanoTime();

    // What it has on disk
    ColonyFiles files = new ColonyFiles(settings.directory());
    Authority authority = step("certificate authority loaded", () -> authority(files));
    Secret secret = files.secret();
    KeyPair keys = files.wireGuardKey();
    Identity server = files.serverIdentity(authority, clock);
    DuckDbFile file = step("database opened", () -> DuckDbFile.open(files.database()));
    stopping.push(file::close);
    AllocationReadModel readModel = new AllocationReadModel(file);

    // The hub, without peers yet
    Hub hub =
        step(
            "WireGuard device up",
            () -> Hub.open(settings.deviceMode(), settings.device(keys), settings.subnet(), clock));
    stopping.push(hub::close);
    this.hub = hub;
    wireGuardPort = hub.device().listenPort();

    // The cluster, and the actors of which it has one
    ActorSystem<Void> system = step("actor system up", () -> joined(actorSystem(config, file)));
    Executor blocking = dispatcher(system, "blocking-dispatcher");
    ClusterSingleton singletons = ClusterSingleton.get(system);
    CertificateIndex certificates =
        new CertificateIndex(settings.colonyId(), authority.certificate(), clock);
    ActorRef<CertificateAuthority.Command> certificateAuthority =
        singletons.init(
            SingletonActor.of(
                CertificateAuthority.create(
                    authority,
                    CertificateSettings.DEFAULT,
                    certificates,
                    clock,
                    dispatcher(system, "signing-dispatcher")),
                "certificate-authority"));
    AllocatorClient allocator =
        new AllocatorClient(
            singletons.init(
                SingletonActor.of(
                    IpAllocator.create(
                        settings.subnet(),
                        clock,
                        IpAllocator.Settings.of(file.path().toString()),
                        hub::follow),
                    "ip-allocator")),
            system);
    ActorRef<PresenceDirectory.Command> directory =
        singletons.init(
            SingletonActor.of(
                PresenceDirectory.create(batch -> touch(readModel, batch, blocking)),
                "presence-directory"));
    stopping.push(() -> flush(directory, system));
    ClusterSharding sharding = ClusterSharding.get(system);
    sharding.init(
        Entity.of(
                AgentSession.TYPE,
                entity ->
                    AgentSession.create(
                        new AgentId(entity.getEntityId()),
                        settings.heartbeatInterval(),
                        clock,
                        directory,
                        entity.getShard()))
            .withStopMessage(new AgentSession.Stop()));

    // What the journals hold, before anybody can ask
    List<Allocation> allocations =
        step("addresses read", () -> await(allocator.all(), START_TIMEOUT));
    step("peers restored", () -> restore(hub, allocations));
    Projection projection =
        new Projection(
            system,
            IpAllocator.PERSISTENCE_ID,
            Projection.into(readModel, event -> row(event, settings.subnet())));
    step("tables up to date", () -> await(projection.catchUp(), START_TIMEOUT));
    UniqueKillSwitch following = projection.follow().first();
    stopping.push(following::shutdown);
    step("certificates read", () -> certificatesRead(certificateAuthority, system));

    // The port
    MeshView mesh =
        new MeshView(
            settings.subnet(),
            keys.publicKey(),
            publicEndpoints(wireGuardPort),
            settings.heartbeatInterval(),
            hub.device().mtu());
    AtomicReference<Optional<String>> announcementProblem = new AtomicReference<>(Optional.empty());
    Readiness readiness = Readiness.of(system);
    readiness.watch(new Readiness.Parts(file, hub.device(), certificates, blocking));
    Registration registration = new Registration(allocator, keys.publicKey(), sharding, directory);
    SessionStreams streams = new SessionStreams(system, sharding);
    stopping.push(() -> quietly("sessions", () -> await(streams.stop(), STOP_STEP_TIMEOUT)));
    Bootstrap bootstrap =
        new Bootstrap(secret, new BootstrapLimit(clock), certificateAuthority, system);
    AgentOverview agents =
        new AgentOverview(
            allocator, directory, readModel, settings.heartbeatInterval(), clock, blocking, system);
    ColonyStatus status =
        new ColonyStatus(
            settings,
            mesh,
            authority.fingerprint(),
            file,
            readiness,
            announcementProblem::get,
            allocator,
            agents,
            clock,
            blocking);
    RpcServer rpc =
        RpcServer.builder(
                system,
                CallerIdentity.ofColony(settings.colonyId(), certificates::accepts, clock),
                ColonyRpcs.AUTHORIZATION)
            .service(
                MeshService.class,
                MeshService.description,
                caller -> new MeshEdge(caller, registration, allocator, streams, mesh),
                MeshServiceHandlerFactory::create)
            .service(
                ColonyService.class,
                ColonyService.description,
                caller ->
                    new ColonyEdge(
                        caller, bootstrap, agents, status, mesh, hub, authority.certificate()),
                ColonyServiceHandlerFactory::create)
            .limit(ColonyRpcs.REQUEST_CERTIFICATE, MAX_CERTIFICATE_REQUEST_BYTES)
            .limit(ColonyRpcs.GET_CA_CERTIFICATE, 0)
            .streamIdle(settings.heartbeatInterval().multipliedBy(STREAM_IDLE_INTERVALS))
            .build();
    ServerTls tls =
        ServerTls.of(
            server.key(),
            server.chain(),
            Optional.of(authority.certificate()),
            certificates::accepts);
    ServerBinding binding =
        step(
            "port open",
            () ->
                await(
                    rpc.bind(settings.listenHost(), settings.listenPort(), Optional.of(tls)),
                    START_TIMEOUT));
    rpcAddress = binding.localAddress();
    managementAddress = step("management open", () -> manage(system));
    settings
        .discovery()
        .ifPresent(
            discovery -> {
              DiscoveryClient client =
                  new DiscoveryClient(
                      discovery, settings, mesh, rpcAddress.getPort(), secret, blocking);
              system.systemActorOf(
                  DiscoveryAnnouncer.create(client::register, announcementProblem),
                  "discovery-announcer",
                  Props.empty());
            });
    system.getWhenTerminated().whenComplete((done, failure) -> stopped.countDown());
    log.info(
        "Colony {} is ready after {} ms: gRPC on {}, WireGuard on UDP port {}, {} addresses held,"
            + " CA fingerprint {}",
        settings.colonyId(),
        (System.nanoTime() - begin) / 1_000_000,
        rpcAddress,
        wireGuardPort,
        allocations.size(),
        authority.fingerprint());
  }

  private Authority authority(ColonyFiles files) throws IOException {
    if (!Files.isDirectory(files.directory())) {
      throw new NoSuchFileException(
          files.directory().toString(), null, "there is no colony: make one with `coral init`");
    }
    Authority authority = files.authority();
    if (!authority.colonyId().equals(settings.colonyId())) {
      throw new IOException(
          "the certificate authority in "
              + files.directory()
              + " is that of colony "
              + authority.colonyId()
              + ", the settings name "
              + settings.colonyId());
    }
    return authority;
  }

  private ActorSystem<Void> actorSystem(Config config, DuckDbFile file) {
    Config own =
        ConfigFactory.parseMap(
            Map.of(
                "pekko.management.http.hostname", settings.managementHost(),
                "pekko.management.http.port", settings.managementPort()));
    ActorSystem<Void> system =
        ActorSystem.create(
            Behaviors.empty(),
            "coral-colony",
            own.withFallback(file.persistenceConfig())
                .withFallback(config.getConfig("coral.colony.actor-system"))
                .withFallback(config));
    stopping.push(
        () -> {
          system.terminate();
          quietly("actor system", () -> await(system.getWhenTerminated(), STOP_TIMEOUT));
        });
    return system;
  }

  private static ActorSystem<Void> joined(ActorSystem<Void> system) throws IOException {
    Cluster cluster = Cluster.get(system);
    cluster.manager().tell(Join.create(cluster.selfMember().address()));
    CompletableFuture<Done> up = new CompletableFuture<>();
    org.apache.pekko.cluster.Cluster.get(system)
        .registerOnMemberUp(() -> up.complete(Done.getInstance()));
    await(up, START_TIMEOUT);
    return system;
  }

  private static Executor dispatcher(ActorSystem<?> system, String name) {
    return system.dispatchers().lookup(DispatcherSelector.fromConfig("coral.colony." + name));
  }

  private static int restore(Hub hub, List<Allocation> allocations) {
    hub.restore(allocations);
    return allocations.size();
  }

  private static Optional<Projection.RowChange> row(Object event, MeshSubnet subnet) {
    if (event instanceof AllocationEvent.Allocated allocated) {
      AllocationReadModel.Row row =
          new AllocationReadModel.Row(
              allocated.agentId(),
              subnet.addresses(allocated.hostNumber()).ipv4Text(),
              allocated.at(),
              allocated.at());
      return Optional.of(new Projection.RowChange(allocated.agentId(), Optional.of(row)));
    }
    if (event instanceof AllocationEvent.Released released) {
      return Optional.of(new Projection.RowChange(released.agentId(), Optional.empty()));
    }
    return Optional.empty();
  }

  /** Any answer says that the journal has been read. */
  private static CertificateAuthority.Reply certificatesRead(
      ActorRef<CertificateAuthority.Command> authority, ActorSystem<?> system) throws IOException {
    return await(
        AskPattern.<CertificateAuthority.Command, CertificateAuthority.Reply>ask(
            authority,
            replyTo -> new CertificateAuthority.Status(new AgentId("nobody"), replyTo),
            START_TIMEOUT,
            system.scheduler()),
        START_TIMEOUT);
  }

  private static CompletionStage<Done> touch(
      AllocationReadModel readModel, Map<AgentId, Instant> batch, Executor blocking) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            readModel.touch(batch);
            return Done.getInstance();
          } catch (StoreException e) {
            throw new CompletionException(e);
          }
        },
        blocking);
  }

  private static void flush(ActorRef<PresenceDirectory.Command> directory, ActorSystem<?> system) {
    quietly(
        "last seen",
        () ->
            await(
                AskPattern.<PresenceDirectory.Command, PresenceDirectory.Flushed>ask(
                    directory, PresenceDirectory.Flush::new, STOP_STEP_TIMEOUT, system.scheduler()),
                STOP_STEP_TIMEOUT));
  }

  private List<Endpoint> publicEndpoints(int port) throws IOException {
    if (!settings.publicEndpoints().isEmpty()) {
      return settings.publicEndpoints();
    }
    MeshAddresses colony = settings.subnet().colony();
    return LocalEndpoints.of(port, Set.of(colony.ipv4(), colony.ipv6()));
  }

  private InetSocketAddress manage(ActorSystem<?> system) throws IOException {
    Uri uri = await(PekkoManagement.get(system).start(), START_TIMEOUT);
    return new InetSocketAddress(uri.getHost().address(), uri.getPort());
  }

  /** Runs a step of the start and logs how long it took. */
  private static <T> T step(String what, Step<T> step) throws IOException {
    long begin = System.nanoTime();
    T result = step.run();
    log.info("{} in {} ms", what, (System.nanoTime() - begin) / 1_000_000);
    return result;
  }

  /** Waits; what failed comes out as an exception with a message for people. */
  private static <T> T await(CompletionStage<T> stage, Duration timeout) throws IOException {
    try {
      return stage.toCompletableFuture().get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      Throwable cause = FailureStatus.unwrap(e);
      String message = cause.getMessage();
      throw new IOException(message == null ? cause.getClass().getSimpleName() : message, cause);
    } catch (TimeoutException e) {
      throw new IOException("not done within " + timeout.toSeconds() + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private static void quietly(String what, Step<?> step) {
    try {
      step.run();
    } catch (IOException e) {
      log.warn("Stopping {}: {}", what, e.getMessage());
    }
  }

  /**
   * Runs a colony in the foreground until SIGTERM or SIGINT.
   *
   * @return the exit code: 0 after a signal, 1 if the colony stopped by itself, after it logged why
   * @throws coral.settings.SettingsException as {@link #start}
   * @throws IOException as {@link #start}
   */
  public static int run(Config config) throws IOException {
    CompletableFuture<ColonyProcess> started = new CompletableFuture<>();
    // Before the start, so that a signal in the middle of it is obeyed when there is something to
    // close. The runtime would exit with 143; to stop when told to is a success.
    Thread onSignal =
        new Thread(
            () -> {
              try {
                started.join().close();
              } catch (CompletionException e) {
                return; // the start has failed, and whoever called says why
              }
              Runtime.getRuntime().halt(0);
            },
            "colony-signal");
    Runtime.getRuntime().addShutdownHook(onSignal);
    ColonyProcess colony;
    try {
      colony = start(config, InstantSource.system());
    } catch (IOException | RuntimeException e) {
      started.completeExceptionally(e);
      throw e;
    }
    started.complete(colony);
    try {
      colony.stopped.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (colony.isClosed()) {
      return 0;
    }
    log.error("The colony's actor system has stopped by itself");
    colony.close();
    started.obtrudeException(new IllegalStateException("stopped by itself"));
    return 1;
  }

  /** Where the gRPC port is bound. */
  public InetSocketAddress rpcAddress() {
    return rpcAddress;
  }

  /** Where {@code /alive} and {@code /ready} are. */
  public InetSocketAddress managementAddress() {
    return managementAddress;
  }

  /** The UDP port of the hub. */
  public int wireGuardPort() {
    return wireGuardPort;
  }

  /** The hub's device, to see in a test what becomes of it. */
  WireGuardDevice device() {
    return Objects.requireNonNull(hub, "not started").device();
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  /** Tells the agents, drains, removes the device and lets go of the file. Blocks. */
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    while (!stopping.isEmpty()) {
      stopping.pop().run();
    }
  }
}
