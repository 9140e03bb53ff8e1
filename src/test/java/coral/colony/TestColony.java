package coral.colony;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.api.colony.v1.CreateInvitationRequest;
import coral.api.colony.v1.CreateInvitationResponse;
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
import coral.model.InvitationText;
import coral.model.WireGuardKey;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.ConnectStream;
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
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** A colony in this process, on free ports of loopback, with its tunnels in user space. */
final class TestColony implements AutoCloseable {
  static final String MESH = "coral.mesh.v1.MeshService/";
  static final String COLONY = "coral.colony.v1.ColonyService/";
  static final String CERTIFICATES = "coral.colony.v1.CertificateService/";
  static final String INVITATIONS = "coral.colony.v1.InvitationService/";

  /** An agent that has its certificate. */
  record Member(AgentId agentId, ClientCertificate certificate) {}

  final ColonyFiles.Created created;
  private final Config config;
  private ColonyProcess process;
  private @Nullable String invitation;

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

  /** The colony's own directory. */
  Path home() {
    return Path.of(config.getString("coral.colony.directory"));
  }

  Path database() {
    return home().resolve("colony.duckdb");
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
    return client(as).call(rpc, request, response);
  }

  ConnectClient client(Optional<ClientCertificate> as) {
    return ConnectClient.https(endpoint(), tls(as), Duration.ofSeconds(5), Duration.ofSeconds(20));
  }

  /** A call of the administrator that is answered with a stream. */
  <T extends Message> ConnectStream<T> stream(String rpc, Message request, Parser<T> response)
      throws Exception {
    return ConnectClient.https(
        endpoint(),
        tls(Optional.of(administrator())),
        Duration.ofSeconds(5),
        Duration.ofSeconds(20))
        .stream(rpc, request, response, Duration.ofSeconds(30));
  }

  ClientCertificate administrator() throws IOException {
    Identity identity =
        Identity.load(created.administratorCertificate(), created.administratorKey());
    return new ClientCertificate(identity.key(), identity.chain());
  }

  /** An agent that has used an invitation. */
  Member bootstrap(String agentId) throws Exception {
    return bootstrap(agentId, KeyType.P_256.generate());
  }

  Member bootstrap(String agentId, KeyPair keys) throws Exception {
    String secret = invitation();
    return bootstrap(agentId, keys, paying -> paying.setInvitation(secret));
  }

  /** What an administrator has invited all agents of a test with. */
  private synchronized String invitation() throws Exception {
    String made = invitation;
    if (made == null) {
      made = invite(CreateInvitationRequest.newBuilder().setUses(1_000).build());
      invitation = made;
    }
    return made;
  }

  /** The secret in a new invitation. */
  String invite(CreateInvitationRequest request) throws Exception {
    CreateInvitationResponse created =
        call(
            Optional.of(administrator()),
            INVITATIONS + "CreateInvitation",
            request,
            CreateInvitationResponse.parser());
    return InvitationText.parse(created.getText()).secret().reveal();
  }

  /** Somebody of a role, who has used an invitation of that role. */
  Member bootstrap(String id, String role) throws Exception {
    String secret =
        invite(CreateInvitationRequest.newBuilder().setAgentId(id).setRole(role).build());
    return bootstrap(id, KeyType.P_256.generate(), paying -> paying.setInvitation(secret));
  }

  /** An agent that has paid somehow. */
  Member bootstrap(
      String agentId, KeyPair keys, UnaryOperator<RequestCertificateRequest.Builder> paid)
      throws RpcException {
    return member(agentId, keys, requestCertificate(agentId, keys, paid));
  }

  RequestCertificateResponse requestCertificate(
      String agentId, KeyPair keys, UnaryOperator<RequestCertificateRequest.Builder> paid)
      throws RpcException {
    return requestCertificate(Optional.empty(), agentId, keys, paid);
  }

  RequestCertificateResponse requestCertificate(
      Optional<ClientCertificate> as,
      String agentId,
      KeyPair keys,
      UnaryOperator<RequestCertificateRequest.Builder> paid)
      throws RpcException {
    AgentId id = new AgentId(agentId);
    return call(
        as,
        ColonyRpcs.REQUEST_CERTIFICATE,
        paid.apply(
                RequestCertificateRequest.newBuilder()
                    .setAgentId(agentId)
                    .setCsr(ByteString.copyFrom(CertificateRequests.create(id, keys))))
            .build(),
        RequestCertificateResponse.parser());
  }

  static Member member(String agentId, KeyPair keys, RequestCertificateResponse issued) {
    AgentId id = new AgentId(agentId);
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
