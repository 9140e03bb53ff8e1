package coral.colony;

import static coral.colony.Steps.await;
import static coral.colony.Steps.step;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.address.Allocation;
import coral.certificate.Authority;
import coral.certificate.BlockedKeys;
import coral.certificate.OcspResponder;
import coral.certificate.RevocationLists;
import coral.model.AgentId;
import coral.model.AuditEvent;
import coral.model.AuditSink;
import coral.model.Endpoint;
import coral.model.MeshAddresses;
import coral.process.UntilSignal;
import coral.storage.DuckDbFile;
import coral.wireguard.KeyPair;
import coral.wireguard.WireGuardDevice;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.Predicate;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.http.javadsl.ServerBinding;
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

  private final StopSteps stopping = new StopSteps();

  private final ColonySettings settings;
  private final InstantSource clock;
  private final CountDownLatch stopped = new CountDownLatch(1);
  private InetSocketAddress rpcAddress = new InetSocketAddress(0);
  private InetSocketAddress managementAddress = new InetSocketAddress(0);
  private Optional<InetSocketAddress> revocationAddress = Optional.empty();
  private int wireGuardPort;
  private @Nullable Hub hub;
  private @Nullable ActorRef<CertificateRenewal.Command> certificateRenewal;
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
      colony.stop().forEach(e::addSuppressed);
      throw e;
    }
  }

  private void startAll(Config config) throws IOException {
    final long begin = System.nanoTime();

    // What it has on disk
    ColonyFiles files = new ColonyFiles(settings.directory());
    OwnCertificates own =
        step("certificate authority loaded", () -> OwnCertificates.load(files, settings, clock));
    Authority authority = own.authority();
    BlockedKeys blocked =
        step("blocked keys read", () -> BlockedKeys.read(settings.certificates().blockedKeys()));
    ColonySecrets secrets = ColonySecrets.load(files, clock);
    KeyPair keys = files.wireGuardKey();
    DuckDbFile file = step("database opened", () -> DuckDbFile.open(files.database()));
    stopping.push("database", file::close);
    ColonyTables tables = ColonyTables.in(file, settings);

    // The hub, without peers yet
    Hub hub =
        step(
            "WireGuard device up",
            () -> Hub.open(settings.deviceMode(), settings.device(keys), settings.subnet(), clock));
    stopping.push("device", hub::close);
    this.hub = hub;
    wireGuardPort = hub.device().listenPort();

    // The cluster, and its actors
    ActorSystem<Void> system =
        step(
            "actor system up",
            () ->
                ColonySystem.start(
                    bootstrap(config, file), authority, clock, stopping, START_TIMEOUT));
    ColonyAudit audit =
        ColonyAudit.start(
            system, settings, file, authority, hub, clock, ColonyActors.blocking(system));
    ColonyActors actors =
        ColonyActors.start(
            system,
            settings,
            authority,
            blocked,
            file,
            tables.allocations(),
            hub::follow,
            audit.sink(),
            clock);
    stopping.push(
        "last seen", () -> await(actors.flushLastSeen(STOP_STEP_TIMEOUT), STOP_STEP_TIMEOUT));

    // What the journals hold, before anybody can ask
    List<Allocation> allocations =
        step("addresses read", () -> await(actors.allocator().all(), START_TIMEOUT));
    step("certificates read", () -> await(actors.certificatesRead(START_TIMEOUT), START_TIMEOUT));
    step("peers restored", () -> restore(hub, allocations, actors.certificates()::isBarred));
    tables.follow(system, settings, stopping, START_TIMEOUT, STOP_STEP_TIMEOUT);
    step("audit log up to date", () -> await(audit.catchUp(), START_TIMEOUT));
    audit.follow(stopping, STOP_STEP_TIMEOUT);

    // Discovery
    ColonyDiscovery discovery =
        ColonyDiscovery.open(settings, files, secrets, clock, actors.blocking());
    BootstrapLimit limit = new BootstrapLimit(clock);
    RevocationLists lists =
        new RevocationLists(authority, actors.certificates().revocations(), clock);

    // The port
    MeshView mesh =
        new MeshView(
            settings.subnet(),
            keys.publicKey(),
            publicEndpoints(wireGuardPort),
            settings.heartbeatInterval(),
            hub.device().mtu());
    Readiness readiness = Readiness.of(system);
    readiness.watch(
        new Readiness.Parts(file, hub.device(), actors.certificates(), actors.blocking(), clock));
    SessionStreams streams =
        new SessionStreams(system, actors.sharding(), actors.certificates()::accepts);
    stopping.push("sessions", () -> await(streams.stop(), STOP_STEP_TIMEOUT));
    ColonyServer server = new ColonyServer(settings, own.port(), authority, actors, mesh);
    ServerBinding binding =
        step(
            "port open",
            () ->
                await(
                    server.bind(
                        new ColonyServer.Parts(
                            hub,
                            streams,
                            new Issuance(
                                secrets,
                                settings.legacy().acceptColonySecret(),
                                discovery.tokens(),
                                limit,
                                actors.authority(),
                                audit.sink()),
                            new LegacyRegistration(
                                settings.legacy(),
                                secrets,
                                discovery.tokens(),
                                limit,
                                actors.certificates(),
                                audit.sink()),
                            discovery.replacement(),
                            new InvitationEdge.Colony(
                                settings.colonyId(),
                                authority::fingerprint,
                                () -> rpcEndpoints(mesh),
                                ColonyDiscovery.invited(settings)),
                            file,
                            tables,
                            lists,
                            readiness,
                            discovery::problem,
                            audit,
                            files.administrator(),
                            clock)),
                    START_TIMEOUT));
    rpcAddress = binding.localAddress();
    certificateRenewal =
        system.systemActorOf(
            CertificateRenewal.create(
                () ->
                    CompletableFuture.supplyAsync(
                            () -> own.renew(server, audit.sink()), actors.blocking())
                        .thenCompose(renewed -> renewed)),
            "certificate-renewal",
            Props.empty());
    // The port shows what agents of the present bundle believe, as soon as that changes.
    authority.onChange(() -> actors.blocking().execute(() -> own.renewNow(server, audit.sink())));
    revocationAddress = openRevocationPort(system, authority, actors, lists);
    managementAddress = step("management open", () -> ColonySystem.manage(system, START_TIMEOUT));
    await(own.tell(audit.sink()), START_TIMEOUT);
    recordChanges(new PreviousSettings(files.lastSettings()), config, audit.sink());
    audit
        .sink()
        .record(
            AuditEvent.of(AuditEvent.Kind.COLONY_STARTED)
                .detail(settings.subnet() + ", CA fingerprint " + authority.fingerprint()));
    discovery.start(system, settings, mesh, rpcAddress.getPort(), audit.sink());
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

  private Optional<InetSocketAddress> openRevocationPort(
      ActorSystem<?> system, Authority authority, ColonyActors actors, RevocationLists lists)
      throws IOException {
    if (settings.revocation().isEmpty()) {
      return Optional.empty();
    }
    ColonySettings.Revocation where = settings.revocation().get();
    RevocationPort port =
        new RevocationPort(
            authority,
            lists,
            new OcspResponder(authority, actors.certificates().revocations(), clock),
            clock,
            ColonyActors.answering(system),
            actors.blocking());
    return Optional.of(
        step(
            "revocation port open",
            () ->
                await(port.bind(system, where.host(), where.port()), START_TIMEOUT)
                    .localAddress()));
  }

  /** First on disk in the audit log: a crash in between records a change twice, not never. */
  private static void recordChanges(PreviousSettings previous, Config config, AuditSink sink)
      throws IOException {
    for (AuditEvent change : previous.changes(config)) {
      await(sink.recorded(change), START_TIMEOUT);
    }
    previous.keep(config);
  }

  /** Where the gRPC port is reached: the hosts of the WireGuard port, as discovery tells agents. */
  private List<Endpoint> rpcEndpoints(MeshView mesh) {
    return mesh.endpoints().stream()
        .map(endpoint -> new Endpoint(endpoint.host(), rpcAddress.getPort()))
        .distinct()
        .toList();
  }

  private BootstrapSetup bootstrap(Config config, DuckDbFile file) {
    Config own =
        ConfigFactory.parseMap(
            Map.of(
                "pekko.management.http.hostname", settings.managementHost(),
                "pekko.management.http.port", settings.managementPort()));
    return BootstrapSetup.create(
        own.withFallback(file.persistenceConfig())
            .withFallback(config.getConfig("coral.colony.actor-system"))
            .withFallback(config));
  }

  private static int restore(Hub hub, List<Allocation> allocations, Predicate<AgentId> barred) {
    hub.restore(allocations, barred);
    return allocations.size();
  }

  private List<Endpoint> publicEndpoints(int port) throws IOException {
    if (!settings.publicEndpoints().isEmpty()) {
      return settings.publicEndpoints();
    }
    MeshAddresses colony = settings.subnet().colony();
    return LocalEndpoints.of(port, Set.of(colony.ipv4(), colony.ipv6()));
  }

  /**
   * Runs a colony in the foreground until SIGTERM or SIGINT.
   *
   * @return the exit code: 0 after a signal, 1 if the colony stopped by itself, after it logged why
   * @throws coral.settings.SettingsException as {@link #start}
   * @throws IOException as {@link #start}
   */
  public static int run(Config config) throws IOException {
    return UntilSignal.run(
        "colony",
        () -> start(config, InstantSource.system()),
        ColonyProcess::awaitEnd,
        colony -> {
          colony.close();
          return 0;
        });
  }

  /** Waits for the end: 0 if it was closed, 1 if the actor system stopped by itself. */
  private int awaitEnd() {
    try {
      stopped.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (isClosed()) {
      return 0;
    }
    log.error("The colony's actor system has stopped by itself");
    close();
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

  /** Where revocation lists and OCSP answers are; empty if nowhere. */
  public Optional<InetSocketAddress> revocationAddress() {
    return revocationAddress;
  }

  /** The UDP port of the hub. */
  public int wireGuardPort() {
    return wireGuardPort;
  }

  /** The hub's device, to see in a test what becomes of it. */
  WireGuardDevice device() {
    return Objects.requireNonNull(hub, "not started").device();
  }

  /** What looks at the port's certificate once a day, for a test that cannot wait for a day. */
  ActorRef<CertificateRenewal.Command> certificateRenewal() {
    return Objects.requireNonNull(certificateRenewal, "not started");
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  /** Tells the agents, drains, removes the device and lets go of the file. Blocks. */
  @Override
  public void close() {
    stop();
  }

  private List<Exception> stop() {
    synchronized (this) {
      closed = true;
    }
    return stopping.run();
  }
}
