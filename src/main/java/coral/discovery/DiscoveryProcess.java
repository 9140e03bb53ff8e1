package coral.discovery;

import com.typesafe.config.Config;
import coral.api.discovery.v1.DiscoveryService;
import coral.api.discovery.v1.DiscoveryServiceHandlerFactory;
import coral.files.SecureFiles;
import coral.model.Fingerprint;
import coral.rpc.CallerIdentity;
import coral.rpc.FailureStatus;
import coral.rpc.RpcServer;
import coral.rpc.ServerTls;
import coral.settings.SettingsReader;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.Done;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running discovery service. */
public final class DiscoveryProcess {
  private static final Logger log = LoggerFactory.getLogger(DiscoveryProcess.class);

  private static final String HASHING = "coral.discovery.hashing-dispatcher";
  private static final String STORAGE = "coral.discovery.storage-dispatcher";

  /** How many Argon2id computations run at once, beside those that wait. */
  private static final int CORES = Runtime.getRuntime().availableProcessors();

  /** What the guardian has made for the edge. */
  private record Services(SecretCheck secrets, DiscoveryLimits limits) {}

  private final ActorSystem<Directory.Command> system;
  private final InetSocketAddress address;
  private final Optional<Fingerprint> fingerprint;
  private final AtomicBoolean stopping = new AtomicBoolean();

  private DiscoveryProcess(
      ActorSystem<Directory.Command> system,
      InetSocketAddress address,
      Optional<Fingerprint> fingerprint) {
    this.system = system;
    this.address = address;
    this.fingerprint = fingerprint;
  }

  /**
   * Starts the service and returns when its port is open.
   *
   * @param config the whole configuration, for Pekko
   * @throws IOException with a message for people: a file, the database or the port is not usable
   */
  public static DiscoveryProcess start(
      DiscoverySettings settings, Config config, InstantSource clock) throws IOException {
    SecureFiles.createDirectory(settings.directory());
    Optional<DiscoveryIdentity> identity =
        settings.tls()
            ? Optional.of(DiscoveryIdentity.loadOrCreate(settings.directory(), clock))
            : Optional.empty();
    DirectoryStore store = DirectoryStore.open(settings.directory().resolve("discovery.duckdb"));
    ColonyDirectory directory =
        new ColonyDirectory(settings.maxColonies(), settings.ttl(), settings.retention());
    try {
      store.load().forEach(directory::put);
    } catch (IOException e) {
      store.close();
      throw e;
    }
    CompletableFuture<Services> services = new CompletableFuture<>();
    ActorSystem<Directory.Command> system =
        system(settings, config, clock, directory, store, services);
    try {
      ServerBinding binding =
          bind(settings, clock, system, services.join(), identity).toCompletableFuture().join();
      return new DiscoveryProcess(
          system, binding.localAddress(), identity.map(DiscoveryIdentity::fingerprint));
    } catch (CompletionException e) {
      system.terminate();
      system.getWhenTerminated().toCompletableFuture().join();
      store.close();
      throw new IOException(
          "discovery cannot open "
              + settings.host()
              + ":"
              + settings.port()
              + ": "
              + FailureStatus.unwrap(e).getMessage(),
          e);
    }
  }

  /**
   * Runs the service until the process is told to stop.
   *
   * @param config the whole configuration
   * @return the process's exit code: 0 after a signal, 1 if it stopped by itself, after it logged
   *     so
   * @throws IOException as {@link #start}
   */
  public static int run(Config config) throws IOException {
    DiscoverySettings settings = DiscoverySettings.from(config);
    CompletableFuture<DiscoveryProcess> started = new CompletableFuture<>();
    // Before the start, so that no signal finds the port open and nobody to close it. The runtime
    // would exit with 143; to stop when told to is a success.
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> endBySignal(started), "discovery-signal"));
    DiscoveryProcess process;
    try {
      process = start(settings, config, InstantSource.system());
    } catch (IOException | RuntimeException e) {
      started.completeExceptionally(e);
      throw e;
    }
    started.complete(process);
    String scheme = settings.tls() ? "https" : "http";
    log.info(
        "discovery listens at {}://{}:{}", scheme, settings.host(), process.address().getPort());
    process.fingerprint().ifPresent(pin -> log.info("colonies pin its certificate: {}", pin));
    if (!settings.tls()) {
      log.warn("TLS is off: whoever listens on the network reads the secrets of colonies");
    }
    int code = process.awaitEnd();
    if (code != 0) {
      started.obtrudeException(new IllegalStateException("stopped by itself"));
    }
    return code;
  }

  private static void endBySignal(CompletableFuture<DiscoveryProcess> started) {
    try {
      started.join().stop().toCompletableFuture().join();
    } catch (CompletionException e) {
      return; // the start or the stop has failed, and whoever called says why
    }
    Runtime.getRuntime().halt(0);
  }

  /**
   * Waits until the service has ended.
   *
   * @return 0 if it was stopped, 1 if its actor system ended by itself
   */
  int awaitEnd() {
    system.getWhenTerminated().toCompletableFuture().join();
    if (stopping.get()) {
      return 0;
    }
    log.error("Discovery's actor system has stopped by itself");
    return 1;
  }

  /** Ends the actor system, as a defect would. */
  void terminate() {
    system.terminate();
  }

  /** Where the port is open. */
  public InetSocketAddress address() {
    return address;
  }

  /** The port that is open. */
  public int port() {
    return address.getPort();
  }

  /** What colonies pin; empty without TLS. */
  public Optional<Fingerprint> fingerprint() {
    return fingerprint;
  }

  /** Closes the port, lets calls in flight end, and closes the database. */
  public CompletionStage<Done> stop() {
    stopping.set(true);
    return CoordinatedShutdown.get(system)
        .runAll(CoordinatedShutdown.unknownReason())
        .thenCompose(done -> system.getWhenTerminated());
  }

  private static ActorSystem<Directory.Command> system(
      DiscoverySettings settings,
      Config config,
      InstantSource clock,
      ColonyDirectory directory,
      DirectoryStore store,
      CompletableFuture<Services> services) {
    Config own = SettingsReader.of(config, "coral.discovery").config("actor-system");
    ActorSystem<Directory.Command> system =
        ActorSystem.create(
            Behaviors.setup(
                context -> {
                  DiscoveryLimits limits = new DiscoveryLimits(settings.limits(), clock);
                  SecretCheck secrets =
                      new SecretCheck(
                          clock,
                          limits,
                          executor(context, HASHING),
                          settings.maxWaitingHashes() + CORES);
                  services.complete(new Services(secrets, limits));
                  return Directory.create(
                      directory, store::write, clock, secrets, limits, executor(context, STORAGE));
                }),
            "coral-discovery",
            own.withFallback(config));
    CoordinatedShutdown.get(system)
        .addTask(
            CoordinatedShutdown.PhaseBeforeActorSystemTerminate(),
            "close-directory",
            () -> CompletableFuture.supplyAsync(() -> close(store)));
    return system;
  }

  private static Executor executor(ActorContext<?> context, String dispatcher) {
    return context.getSystem().dispatchers().lookup(DispatcherSelector.fromConfig(dispatcher));
  }

  private static Done close(DirectoryStore store) {
    store.close();
    return Done.done();
  }

  private static CompletionStage<ServerBinding> bind(
      DiscoverySettings settings,
      InstantSource clock,
      ActorSystem<Directory.Command> system,
      Services services,
      Optional<DiscoveryIdentity> identity) {
    DirectoryQueries directory = new DirectoryQueries(system, system);
    SecretRotation rotation =
        new SecretRotation(directory, services.secrets(), new AuditLines(), clock);
    Instant startedAt = clock.instant();
    RpcServer server =
        RpcServer.builder(system, CallerIdentity.none(), DiscoveryEdge.AUTHORIZATION)
            .service(
                DiscoveryService.class,
                DiscoveryService.description,
                caller ->
                    new DiscoveryEdge(
                        directory, rotation, services.limits(), clock, startedAt, caller),
                DiscoveryServiceHandlerFactory::create)
            .limit(DiscoveryEdge.REGISTER_COLONY, DiscoveryEdge.MAX_REGISTER_BYTES)
            .limit(DiscoveryEdge.LOOKUP_COLONY, DiscoveryEdge.MAX_QUERY_BYTES)
            .limit(DiscoveryEdge.HEALTH, DiscoveryEdge.MAX_QUERY_BYTES)
            .limit(DiscoveryEdge.REQUEST_TOKEN, DiscoveryEdge.MAX_QUERY_BYTES)
            .limit(DiscoveryEdge.GET_PUBLIC_KEY, DiscoveryEdge.MAX_QUERY_BYTES)
            .limit(DiscoveryEdge.ROTATE_SECRET, DiscoveryEdge.MAX_QUERY_BYTES)
            .build();
    Optional<ServerTls> tls =
        identity.map(
            own ->
                ServerTls.of(
                    own.key(), List.of(own.certificate()), Optional.empty(), client -> false));
    return server.bind(settings.host(), settings.port(), tls);
  }
}
