package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.agent.AgentProcess;
import coral.agent.AgentSettings;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.colony.v1.RequestCertificateResponse;
import coral.api.discovery.v1.RequestRegistrationTokenRequest;
import coral.api.discovery.v1.RequestRegistrationTokenResponse;
import coral.api.discovery.v1.RotateColonySecretRequest;
import coral.api.discovery.v1.RotateColonySecretResponse;
import coral.certificate.CertificateRequests;
import coral.colony.ColonyFiles;
import coral.colony.ColonyProcess;
import coral.discovery.DiscoveryProcess;
import coral.discovery.DiscoverySettings;
import coral.model.AgentId;
import coral.model.Endpoint;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import coral.settings.SettingsLoader;
import coral.testing.OwnerSignatures;
import coral.token.PublicKeyHash;
import java.io.IOException;
import java.io.PrintStream;
import java.net.DatagramSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A discovery and a colony over real TLS in this process, and what a stranger can ask them. The
 * colony's clock can be set; discovery's is right.
 */
final class IdentitySite implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final String DISCOVERY = "coral.discovery.v1.DiscoveryService/";

  /** A clock that may be wrong. */
  static final class ShiftedClock implements InstantSource {
    private volatile Duration ahead = Duration.ZERO;

    void set(Duration ahead) {
      this.ahead = ahead;
    }

    @Override
    public Instant instant() {
      return InstantSource.system().instant().plus(ahead);
    }
  }

  final ColonyFiles.Created created;
  final ShiftedClock colonyClock = new ShiftedClock();
  private final Path home;
  private final DiscoveryProcess discovery;
  private final int wireGuardPort;
  private @Nullable ColonyProcess colony;

  private IdentitySite(
      Path home, ColonyFiles.Created created, DiscoveryProcess discovery, int wireGuardPort) {
    this.home = home;
    this.created = created;
    this.discovery = discovery;
    this.wireGuardPort = wireGuardPort;
  }

  /** Starts discovery, and makes a colony that is not started yet. */
  static IdentitySite create(Path home) throws Exception {
    Config config =
        ConfigFactory.parseString(
                "coral.discovery { host = 127.0.0.1, port = 0, directory = \""
                    + home.resolve("discovery")
                    + "\" }")
            .withFallback(SettingsLoader.load(List.of()));
    InstantSource clock = InstantSource.system();
    DiscoveryProcess discovery =
        DiscoveryProcess.start(DiscoverySettings.from(config), config, clock);
    try (DatagramSocket free = new DatagramSocket(0)) {
      return new IdentitySite(
          home, ColonyFiles.create("shop", "test", home, clock), discovery, free.getLocalPort());
    }
  }

  /** The colony's settings; with {@code settings} inside of {@code coral.colony}. */
  private String colonySettings(String settings) {
    return "coral.colony { home = \""
        + home
        + "\", listen.host = 127.0.0.1, wireguard { device = user-space, port = "
        + wireGuardPort
        + " }, management.port = 0, heartbeat-interval = 1s, public-endpoints = [\"127.0.0.1:"
        + wireGuardPort
        + "\"], discovery { url = \"https://127.0.0.1:"
        + discovery.port()
        + "\", fingerprint = \""
        + discovery.fingerprint().orElseThrow()
        + "\" }\n"
        + settings
        + "\n}";
  }

  /** What the colony's secret is to an agent's settings. */
  String secret() {
    return "colony-secret = \"" + created.secret().reveal() + "\"";
  }

  /**
   * Starts the colony as a process of its own, and waits until it is ready.
   *
   * @param port of its services, the same at each start
   */
  ChildProcess startColonyProcess(ChildRuntime runtime, int port, String settings)
      throws Exception {
    Path file =
        Files.writeString(
            settingsFile(), colonySettings("listen.port = " + port + "\n" + settings));
    ChildProcess process =
        runtime.startService(
            Map.of("CORAL_HOME", home.toString()),
            "colony",
            "start",
            "--colony",
            created.colonyId().value(),
            "--config",
            file.toString());
    process.awaitLine(ColonyInstallation.READY);
    return process;
  }

  /** What {@link #startColonyProcess} names on the command line. */
  Path settingsFile() {
    return home.resolve("site.conf");
  }

  /** Starts the colony, or starts it again. */
  void startColony(String settings) throws Exception {
    if (colony != null) {
      colony.close();
    }
    Config config =
        ConfigFactory.parseString(colonySettings("listen.port = 0\n" + settings))
            .withFallback(SettingsLoader.load(List.of(created.settingsFile())));
    colony = ColonyProcess.start(config, colonyClock);
  }

  private Endpoint endpoint() {
    ColonyProcess running = colony;
    if (running == null) {
      throw new IllegalStateException("the colony was not started");
    }
    return new Endpoint("127.0.0.1", running.rpcAddress().getPort());
  }

  Administrator administrator() throws IOException {
    return administrator(endpoint());
  }

  /** Of a colony of these files, wherever it runs. */
  Administrator administrator(Endpoint at) throws IOException {
    return new Administrator(created, at);
  }

  /** A call of the colony by somebody without a certificate. */
  <T extends Message> T call(String method, Message request, Parser<T> answer) throws RpcException {
    return call(endpoint(), Optional.empty(), method, request, answer);
  }

  /** A call of a colony of these files, wherever it runs. */
  <T extends Message> T call(
      Endpoint endpoint,
      Optional<ClientCertificate> as,
      String method,
      Message request,
      Parser<T> answer)
      throws RpcException {
    return ConnectClient.https(
            endpoint,
            ClientTls.pinned(
                created.caFingerprint(), "spiffe://" + created.colonyId() + "/colony", as),
            TIMEOUT,
            TIMEOUT)
        .call(method, request, answer);
  }

  private <T extends Message> T discover(String method, Message request, Parser<T> answer)
      throws RpcException {
    return ConnectClient.https(
            new Endpoint("127.0.0.1", discovery.port()),
            ClientTls.pinnedLeaf(discovery.fingerprint().orElseThrow()),
            TIMEOUT,
            TIMEOUT)
        .call(DISCOVERY + method, request, answer);
  }

  /** What the colony's secret buys at discovery for a key. */
  String token(String agentId, KeyPair keys) throws RpcException {
    return token(
        request ->
            request
                .setAgentId(agentId)
                .setPublicKeySha256(
                    ByteString.copyFrom(PublicKeyHash.of(keys.getPublic()).toBytes())));
  }

  String token(UnaryOperator<RequestRegistrationTokenRequest.Builder> fields) throws RpcException {
    return discover(
            "RequestRegistrationToken",
            fields
                .apply(
                    RequestRegistrationTokenRequest.newBuilder()
                        .setColonyId(created.colonyId().value())
                        .setColonySecret(created.secret().reveal()))
                .build(),
            RequestRegistrationTokenResponse.parser())
        .getToken();
  }

  /** Lets discovery take another secret beside the colony's own, of which the colony hears not. */
  void addSecretAtDiscovery(String secret) throws RpcException, IOException {
    discover(
        "RotateColonySecret",
        OwnerSignatures.sign(
                OwnerSignatures.owner(created.directory(), InstantSource.system()),
                RotateColonySecretRequest.newBuilder()
                    .setMeshId(created.colonyId().value())
                    .setColonySecret(created.secret().reveal())
                    .setNewColonySecret(secret)
                    .setGrace(com.google.protobuf.Duration.newBuilder().setSeconds(3600)))
            .build(),
        RotateColonySecretResponse.parser());
  }

  /** Buys a certificate with a token. */
  RequestCertificateResponse buy(String agentId, KeyPair keys, String token) throws RpcException {
    return call(
        "coral.colony.v1.ColonyService/RequestCertificate",
        RequestCertificateRequest.newBuilder()
            .setAgentId(agentId)
            .setRegistrationToken(token)
            .setCsr(ByteString.copyFrom(CertificateRequests.create(new AgentId(agentId), keys)))
            .build(),
        RequestCertificateResponse.parser());
  }

  /** Starts an agent in this process, which reports to {@code out}. */
  AgentProcess startAgent(String agentId, String settings, PrintStream out) {
    Config config =
        ConfigFactory.parseString(
                "coral.agent { id = "
                    + agentId
                    + ", colony-id = "
                    + created.colonyId()
                    + ", home = \""
                    + home
                    + "\", ca-fingerprint = \""
                    + created.caFingerprint()
                    + "\", discovery { url = \"https://127.0.0.1:"
                    + discovery.port()
                    + "\", fingerprint = \""
                    + discovery.fingerprint().orElseThrow()
                    + "\" }, device.mode = user-space, report = json, back-off.longest = 1s\n"
                    + settings
                    + "\n}")
            .withFallback(SettingsLoader.load(List.of()));
    return AgentProcess.start(AgentSettings.from(config), config, InstantSource.system(), out);
  }

  /** An agent that joins and leaves at once. Returns how it has joined. */
  JsonNode joinOnce(String agentId, String settings) throws Exception {
    AgentEvents events = new AgentEvents();
    try (AgentProcess agent = startAgent(agentId, settings + "\nonce = true", events.out())) {
      JsonNode joined = events.await("joined");
      assertEquals(0, agent.exitCode().toCompletableFuture().get(60, TimeUnit.SECONDS));
      return joined;
    }
  }

  @Override
  public void close() {
    try {
      if (colony != null) {
        colony.close();
      }
    } finally {
      discovery.stop().toCompletableFuture().join();
    }
  }
}
