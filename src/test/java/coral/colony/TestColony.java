package coral.colony;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.colony.v1.RequestCertificateResponse;
import coral.api.mesh.v1.DeregisterAgentRequest;
import coral.api.mesh.v1.DeregisterAgentResponse;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.certificate.AuthoritySettings;
import coral.certificate.CertificateRequests;
import coral.certificate.Identity;
import coral.certificate.KeyType;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.WireGuardKey;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import coral.settings.SettingsLoader;
import coral.testing.LoggedSecrets;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyPair;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** A colony in this process, on free ports of loopback, with its tunnels in user space. */
final class TestColony implements AutoCloseable {
  static final String MESH = "coral.mesh.v1.MeshService/";
  static final String COLONY = "coral.colony.v1.ColonyService/";

  /** An agent that has its certificate. */
  record Member(AgentId agentId, ClientCertificate certificate) {}

  final ColonyFiles.Created created;
  private final Config config;
  private ColonyProcess process;

  private TestColony(ColonyFiles.Created created, Config config, ColonyProcess process) {
    this.created = created;
    this.config = config;
    this.process = process;
  }

  /** Made once for all tests of the process: a root of RSA-4096 takes seconds. */
  private static ColonyFiles.@Nullable Created template;

  private static synchronized ColonyFiles.Created template() throws IOException {
    ColonyFiles.Created made = template;
    if (made == null) {
      Path directory = Files.createTempDirectory("coral-test");
      made =
          ColonyFiles.createIn(
              directory.resolve("colony"),
              new ColonyId("shop-test-a1b2c3"),
              "shop",
              "test",
              AuthoritySettings.defaults(),
              InstantSource.system());
      LoggedSecrets.watch(made.secret().reveal());
      LoggedSecrets.watch(Files.readString(made.directory().resolve("wireguard.key")).strip());
      template = made;
      Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(directory)));
    }
    return made;
  }

  private static void delete(Path directory) {
    try (Stream<Path> paths = Files.walk(directory)) {
      paths.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path copy(Path template, Path directory) throws IOException {
    Path copy = directory.resolve("colony");
    try (Stream<Path> paths = Files.walk(template)) {
      for (Path path : paths.toList()) {
        Files.copy(
            path, copy.resolve(template.relativize(path)), StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
    return copy;
  }

  static TestColony start(Path directory, Map<String, ?> overrides) throws IOException {
    ColonyFiles.Created created = template();
    Path copy = copy(created.directory(), directory);
    Config config =
        ConfigFactory.parseMap(overrides)
            .withFallback(
                ConfigFactory.parseMap(
                    Map.of(
                        "coral.colony.directory",
                        copy.toString(),
                        "coral.colony.listen.host",
                        "127.0.0.1",
                        "coral.colony.listen.port",
                        0,
                        "coral.colony.wireguard.port",
                        0,
                        "coral.colony.wireguard.device",
                        "user-space",
                        "coral.colony.management.port",
                        0)))
            .withFallback(SettingsLoader.load(Optional.of(created.settingsFile())));
    return new TestColony(created, config, ColonyProcess.start(config, InstantSource.system()));
  }

  static TestColony start(Path directory) throws IOException {
    return start(directory, Map.of());
  }

  ColonyProcess process() {
    return process;
  }

  Config config() {
    return config;
  }

  Path database() {
    return Path.of(config.getString("coral.colony.directory")).resolve("colony.duckdb");
  }

  /** Starts again with other settings for once. */
  void restart(Map<String, ?> overrides) throws IOException {
    process.close();
    process =
        ColonyProcess.start(
            ConfigFactory.parseMap(overrides).withFallback(config), InstantSource.system());
  }

  void restart() throws IOException {
    process.close();
    process = ColonyProcess.start(config, InstantSource.system());
  }

  Endpoint endpoint() {
    return new Endpoint("127.0.0.1", process.rpcAddress().getPort());
  }

  SSLContext tls(Optional<ClientCertificate> own) {
    return ClientTls.pinned(
        created.caFingerprint(), "spiffe://" + created.colonyId() + "/colony", own);
  }

  <T extends Message> T call(
      Optional<ClientCertificate> as, String rpc, Message request, Parser<T> response)
      throws RpcException {
    return ConnectClient.https(endpoint(), tls(as), Duration.ofSeconds(5), Duration.ofSeconds(20))
        .call(rpc, request, response);
  }

  ClientCertificate administrator() throws IOException {
    Identity identity =
        Identity.load(created.administratorCertificate(), created.administratorKey());
    return new ClientCertificate(identity.key(), identity.chain());
  }

  Member bootstrap(String agentId) throws RpcException {
    return bootstrap(agentId, created.secret().reveal(), KeyType.P_256.generate());
  }

  Member bootstrap(String agentId, String secret, KeyPair keys) throws RpcException {
    AgentId id = new AgentId(agentId);
    RequestCertificateResponse issued =
        call(
            Optional.empty(),
            ColonyRpcs.REQUEST_CERTIFICATE,
            RequestCertificateRequest.newBuilder()
                .setAgentId(agentId)
                .setColonySecret(secret)
                .setCsr(ByteString.copyFrom(CertificateRequests.create(id, keys)))
                .build(),
            RequestCertificateResponse.parser());
    return new Member(
        id,
        new ClientCertificate(
            keys.getPrivate(), Pem.certificates(issued.getCertificate().toByteArray())));
  }

  RegisterAgentResponse register(Member member, WireGuardKey key, String requestId)
      throws RpcException {
    return register(
        member,
        RegisterAgentRequest.newBuilder()
            .setWireguardPubkey(key.toString())
            .setRequestId(requestId)
            .setComponentName("web")
            .build());
  }

  RegisterAgentResponse register(Member member, RegisterAgentRequest request) throws RpcException {
    return call(
        Optional.of(member.certificate()),
        MESH + "Register",
        request,
        RegisterAgentResponse.parser());
  }

  DeregisterAgentResponse deregister(ClientCertificate as, String agentId) throws RpcException {
    return call(
        Optional.of(as),
        MESH + "Deregister",
        DeregisterAgentRequest.newBuilder().setAgentId(agentId).build(),
        DeregisterAgentResponse.parser());
  }

  @Override
  public void close() {
    process.close();
  }
}
