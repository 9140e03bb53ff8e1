package coral.discovery;

import com.google.protobuf.ByteString;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.api.discovery.v1.DiscoveryKey;
import coral.api.discovery.v1.GetDiscoveryPublicKeyRequest;
import coral.api.discovery.v1.GetDiscoveryPublicKeyResponse;
import coral.api.discovery.v1.LookupColonyRequest;
import coral.api.discovery.v1.LookupColonyResponse;
import coral.api.discovery.v1.RegisterColonyRequest;
import coral.api.discovery.v1.RegisterColonyResponse;
import coral.api.discovery.v1.RequestRegistrationTokenRequest;
import coral.api.discovery.v1.RequestRegistrationTokenResponse;
import coral.api.discovery.v1.RotateColonySecretRequest;
import coral.api.discovery.v1.RotateColonySecretResponse;
import coral.model.Endpoint;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import coral.settings.SettingsLoader;
import coral.token.Endorsement;
import coral.token.PublishedKey;
import coral.token.TokenKey;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A discovery with TLS on both loopback addresses, its file, and a client that pins it. */
final class RunningDiscovery implements AutoCloseable {
  static final String SERVICE = "coral.discovery.v1.DiscoveryService/";
  static final String COLONY = "shop-prod";
  static final String SECRET = "coral-sec_a-secret-that-nobody-should-find-4711";
  static final String OTHER = "coral-sec_the-secret-of-somebody-else-4712";
  static final byte[] KEY_HASH = new byte[32];
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  static {
    KEY_HASH[0] = 7;
  }

  private final DiscoveryProcess process;

  private RunningDiscovery(DiscoveryProcess process) {
    this.process = process;
  }

  static RunningDiscovery start(Path directory, InstantSource clock, String settings)
      throws Exception {
    Config config =
        ConfigFactory.parseString(
                "coral.discovery { host = \"::\", port = 0, directory = \""
                    + directory
                    + "\" }\n"
                    + settings)
            .withFallback(SettingsLoader.load(Optional.empty()));
    return new RunningDiscovery(
        DiscoveryProcess.start(DiscoverySettings.from(config), config, clock));
  }

  @Override
  public void close() throws Exception {
    process.stop().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  DiscoveryProcess process() {
    return process;
  }

  private ConnectClient client(String host) {
    return ConnectClient.https(
        new Endpoint(host, process.port()),
        ClientTls.pinnedLeaf(process.fingerprint().orElseThrow()),
        TIMEOUT,
        TIMEOUT);
  }

  static RegisterColonyRequest.Builder announcement(String meshId, String secret) {
    byte[] key = new byte[32];
    key[0] = 9;
    return RegisterColonyRequest.newBuilder()
        .setMeshId(meshId)
        .setWireguardPubkey(Base64.getEncoder().encodeToString(key))
        .addPublicEndpoints("[2001:db8::7]:41820")
        .addPublicEndpoints("203.0.113.7:41820")
        .setMeshIpv4("10.42.0.1")
        .setConnectPort(9000)
        .setColonySecret(secret);
  }

  void register(String meshId, String secret) throws RpcException {
    register(announcement(meshId, secret));
  }

  void register(RegisterColonyRequest.Builder request) throws RpcException {
    client("127.0.0.1")
        .call(SERVICE + "RegisterColony", request.build(), RegisterColonyResponse.parser());
  }

  LookupColonyResponse lookup(String meshId) throws RpcException {
    return client("127.0.0.1")
        .call(
            SERVICE + "LookupColony",
            LookupColonyRequest.newBuilder().setMeshId(meshId).build(),
            LookupColonyResponse.parser());
  }

  static RequestRegistrationTokenRequest.Builder request(
      String colony, String secret, String agent) {
    return RequestRegistrationTokenRequest.newBuilder()
        .setColonyId(colony)
        .setColonySecret(secret)
        .setAgentId(agent)
        .setPublicKeySha256(ByteString.copyFrom(KEY_HASH));
  }

  RequestRegistrationTokenResponse token(RequestRegistrationTokenRequest.Builder request)
      throws RpcException {
    return token("127.0.0.1", request);
  }

  RequestRegistrationTokenResponse token(
      String host, RequestRegistrationTokenRequest.Builder request) throws RpcException {
    return client(host)
        .call(
            SERVICE + "RequestRegistrationToken",
            request.build(),
            RequestRegistrationTokenResponse.parser());
  }

  Instant rotate(String present, String next, Optional<Duration> grace) throws RpcException {
    RotateColonySecretRequest.Builder request =
        RotateColonySecretRequest.newBuilder()
            .setMeshId(COLONY)
            .setColonySecret(present)
            .setNewColonySecret(next);
    grace.ifPresent(
        g -> request.setGrace(com.google.protobuf.Duration.newBuilder().setSeconds(g.toSeconds())));
    return rotate(request);
  }

  Instant rotate(RotateColonySecretRequest.Builder request) throws RpcException {
    RotateColonySecretResponse response =
        client("127.0.0.1")
            .call(
                SERVICE + "RotateColonySecret",
                request.build(),
                RotateColonySecretResponse.parser());
    return Instant.ofEpochSecond(response.getFormerSecretExpiresAt().getSeconds());
  }

  GetDiscoveryPublicKeyResponse keys() throws RpcException {
    return client("127.0.0.1")
        .call(
            SERVICE + "GetDiscoveryPublicKey",
            GetDiscoveryPublicKeyRequest.getDefaultInstance(),
            GetDiscoveryPublicKeyResponse.parser());
  }

  /** The key set as plain HTTP has it. */
  HttpResponse<String> keySet() throws Exception {
    return keySet(Optional.empty());
  }

  /** The key set for whom a proxy speaks. */
  HttpResponse<String> keySet(Optional<String> forwardedFor) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(
                URI.create("https://127.0.0.1:" + process.port() + "/.well-known/jwks.json"))
            .timeout(Duration.ofSeconds(10));
    forwardedFor.ifPresent(value -> request.header("X-Forwarded-For", value));
    return HttpClient.newBuilder()
        .sslContext(ClientTls.pinnedLeaf(process.fingerprint().orElseThrow()))
        .build()
        .send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  /** The keys as a colony reads them. */
  static List<PublishedKey> published(GetDiscoveryPublicKeyResponse keys) {
    return keys.getKeysList().stream()
        .map(
            key ->
                new PublishedKey(
                    TokenKey.parse(key.getPublicKey()),
                    state(key.getState()),
                    Instant.ofEpochSecond(key.getCreatedAt().getSeconds()),
                    key.hasRetiredAt()
                        ? Optional.of(Instant.ofEpochSecond(key.getRetiredAt().getSeconds()))
                        : Optional.empty(),
                    key.getEndorsedBy().isEmpty()
                        ? Optional.empty()
                        : Optional.of(
                            new Endorsement(
                                key.getEndorsedBy(), key.getEndorsement().toByteArray()))))
        .toList();
  }

  private static PublishedKey.State state(DiscoveryKey.State state) {
    return PublishedKey.State.valueOf(state.name());
  }
}
