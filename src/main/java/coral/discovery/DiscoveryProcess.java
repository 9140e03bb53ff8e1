package coral.discovery;

import com.typesafe.config.Config;
import coral.api.discovery.v1.DiscoveryService;
import coral.api.discovery.v1.DiscoveryServiceHandlerFactory;
import coral.files.SecureFiles;
import coral.model.Fingerprint;
import coral.model.Secret;
import coral.rpc.CallerIdentity;
import coral.rpc.FailureStatus;
import coral.rpc.RpcServer;
import coral.rpc.ServerTls;
import coral.rpc.reference.ApiReference;
import coral.settings.SettingsReader;
import coral.token.SigningKeys;
import coral.token.SigningKeysFile;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.Done;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running discovery service. */
public final class DiscoveryProcess {
  private static final Logger log = LoggerFactory.getLogger(DiscoveryProcess.class);

  /** For verifiers that speak no protobuf (RFC 7517; the path is that of RFC 8615). */
  private static final String KEY_SET = "/.well-known/jwks.json";

  /** Longer than any passphrase. */
  private static final int MAX_PASSPHRASE_BYTES = 4096;

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
    SigningKeys keys;
    SigningKeysFile keyFile;
    try {
      store.load().forEach(directory::put);
      keyFile = new SigningKeysFile(settings.directory(), passphrase(settings));
      keys = keyFile.loadOrCreate(clock, new SecureRandom());
    } catch (IOException e) {
      store.close();
      throw e;
    }
    log.info("registration tokens are signed with the key {}", keys.current().publicKey().id());
    CompletableFuture<DiscoveryServices> ready = new CompletableFuture<>();
    ActorSystem<Directory.Command> system =
        ActorSystem.create(
            DiscoveryServices.guardian(
                settings, clock, directory, store::write, keys, keyFile, ready),
            "coral-discovery",
            SettingsReader.of(config, "coral.discovery")
                .config("actor-system")
                .withFallback(config));
    DiscoveryServices services = ready.join();
    closeAtEnd(system, settings.directory(), store, services);
    try {
      ServerBinding binding =
          bind(settings, clock, system, services, identity).toCompletableFuture().join();
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

  /** What the signing keys are encrypted with, without the line's end that editors leave. */
  private static Optional<Secret> passphrase(DiscoverySettings settings) throws IOException {
    if (settings.keyPassphraseFile().isEmpty()) {
      return Optional.empty();
    }
    Path file = settings.keyPassphraseFile().get();
    String text =
        new String(SecureFiles.readPrivate(file, MAX_PASSPHRASE_BYTES), StandardCharsets.UTF_8)
            .stripTrailing();
    if (text.isEmpty()) {
      throw new IOException(file + " is empty: it should hold the passphrase of the signing keys");
    }
    return Optional.of(new Secret(text));
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

  /** Takes commands until the end, and closes the database then. */
  private static void closeAtEnd(
      ActorSystem<?> system, Path directory, DirectoryStore store, DiscoveryServices services) {
    Optional<ControlSocket> control =
        control(directory, new DiscoveryCommands(services.tokens(), services.directory()));
    CoordinatedShutdown.get(system)
        .addTask(
            CoordinatedShutdown.PhaseBeforeActorSystemTerminate(),
            "close-directory",
            () ->
                CompletableFuture.supplyAsync(
                    () -> {
                      control.ifPresent(ControlSocket::close);
                      store.close();
                      return Done.done();
                    }));
  }

  /** Discovery serves without it, such as in a folder whose path is too long for a socket. */
  private static Optional<ControlSocket> control(Path directory, DiscoveryCommands commands) {
    try {
      return Optional.of(ControlSocket.open(directory, commands));
    } catch (IOException e) {
      log.warn(
          "{}; signing keys are rotated by time only, and no colony can be forgotten",
          e.getMessage());
      return Optional.empty();
    }
  }

  private static ApiReference.Server reference(DiscoverySettings settings, boolean tls) {
    return new ApiReference.Server(
        "Discovery",
        "The lines call discovery on its own host"
            + (tls ? ", from the folder that has its certificate." : "."),
        tls ? "--cacert tls-cert.pem" : "",
        (tls ? "https" : "http") + "://localhost:" + settings.port());
  }

  private static CompletionStage<ServerBinding> bind(
      DiscoverySettings settings,
      InstantSource clock,
      ActorSystem<Directory.Command> system,
      DiscoveryServices services,
      Optional<DiscoveryIdentity> identity) {
    Instant startedAt = clock.instant();
    RpcServer server =
        RpcServer.builder(system, CallerIdentity.none(), DiscoveryEdge.AUTHORIZATION)
            .service(
                DiscoveryService.class,
                DiscoveryService.description,
                caller -> new DiscoveryEdge(services, clock, startedAt, caller),
                DiscoveryServiceHandlerFactory::create)
            .reflection()
            .reference(reference(settings, identity.isPresent()))
            .limit(DiscoveryEdge.REGISTER_COLONY, DiscoveryEdge.MAX_REGISTER_BYTES)
            .limit(DiscoveryEdge.LOOKUP_COLONY, DiscoveryEdge.MAX_QUERY_BYTES)
            .limit(DiscoveryEdge.HEALTH, DiscoveryEdge.MAX_QUERY_BYTES)
            .limit(DiscoveryEdge.REQUEST_TOKEN, DiscoveryEdge.MAX_QUERY_BYTES)
            .limit(DiscoveryEdge.GET_PUBLIC_KEY, DiscoveryEdge.MAX_QUERY_BYTES)
            .limit(DiscoveryEdge.ROTATE_SECRET, DiscoveryEdge.MAX_QUERY_BYTES)
            .trustedProxies(settings.trustedProxies())
            .get(
                KEY_SET,
                (remote, body) -> {
                  services.limits().requireLookup(remote);
                  return services.tokens().keySet();
                })
            .build();
    Optional<ServerTls> tls =
        identity.map(
            own ->
                ServerTls.of(
                    own.key(), List.of(own.certificate()), Optional.empty(), client -> false));
    return server.bind(settings.host(), settings.port(), tls);
  }
}
