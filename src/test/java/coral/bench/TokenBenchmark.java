package coral.bench;

import com.google.protobuf.ByteString;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.api.discovery.v1.RegisterColonyRequest;
import coral.api.discovery.v1.RegisterColonyResponse;
import coral.api.discovery.v1.RequestRegistrationTokenRequest;
import coral.api.discovery.v1.RequestRegistrationTokenResponse;
import coral.discovery.DiscoveryProcess;
import coral.discovery.DiscoverySettings;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Secret;
import coral.model.WireGuardKey;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.settings.SettingsLoader;
import coral.token.AcceptedKeys;
import coral.token.PublicKeyHash;
import coral.token.RegistrationToken;
import coral.token.SigningKeys;
import coral.token.TokenVerifier;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLContext;

/**
 * Registration tokens: signed, verified, and bought over open TLS connections with a secret that
 * discovery has seen proved a moment ago.
 */
final class TokenBenchmark implements Benchmark {
  private static final int CONNECTIONS = 64;
  private static final ColonyId COLONY = new ColonyId("bench-test-a1b2c3");
  private static final SecureRandom RANDOM = new SecureRandom();

  private static final String SERVICE = "coral.discovery.v1.DiscoveryService/";

  private static final MethodDescriptor<
          RequestRegistrationTokenRequest, RequestRegistrationTokenResponse>
      REQUEST_TOKEN =
          MeshChannels.method(
              MethodDescriptor.MethodType.UNARY,
              SERVICE + "RequestRegistrationToken",
              RequestRegistrationTokenRequest.parser(),
              RequestRegistrationTokenResponse.parser());

  @Override
  public List<Measurement> run(Path directory, Duration time) throws Exception {
    List<Measurement> lines = new ArrayList<>(signing(time));
    lines.addAll(issuing(directory, time));
    return lines;
  }

  private static List<Measurement> signing(Duration time) throws Exception {
    Instant now = InstantSource.system().instant();
    SigningKeys keys = SigningKeys.first(now, RANDOM);
    AcceptedKeys accepted = AcceptedKeys.onFirstUse(keys.published());
    TokenVerifier verifier = new TokenVerifier(COLONY, () -> accepted);
    RegistrationToken token =
        RegistrationToken.create(
            new AgentId("agent"),
            COLONY,
            Optional.of(PublicKeyHash.of(new byte[PublicKeyHash.LENGTH])),
            Optional.empty(),
            now,
            RANDOM);
    String signed = keys.current().sign(token);
    return List.of(
        Measurement.of(
            "tokens signed, all processors",
            Repetition.rateOfAll(() -> keys.current().sign(token), time),
            "/s"),
        Measurement.of(
                "tokens verified, all processors",
                Repetition.rateOfAll(() -> verifier.verify(signed, now), time),
                "/s")
            .atLeast(5_000));
  }

  /** Client and server share the processors. */
  private static List<Measurement> issuing(Path directory, Duration time) throws Exception {
    Secret secret = new Secret("coral-sec_" + "a".repeat(43));
    String most = "{ burst = 1000000, interval = 1us }\n";
    Config config =
        ConfigFactory.parseString(
                "coral.discovery { host = \"127.0.0.1\", port = 0, directory = \""
                    + directory.resolve("discovery")
                    + "\" }\ncoral.discovery.limits { source "
                    + most
                    + "tokens-of-agent "
                    + most
                    + "tokens-of-colony "
                    + most
                    + "tokens "
                    + most
                    + "}")
            .withFallback(SettingsLoader.load(Optional.empty()));
    DiscoveryProcess discovery =
        DiscoveryProcess.start(DiscoverySettings.from(config), config, InstantSource.system());
    try (MeshChannels channels = new MeshChannels()) {
      Endpoint endpoint = new Endpoint("127.0.0.1", discovery.port());
      SSLContext tls = ClientTls.pinnedLeaf(discovery.fingerprint().orElseThrow());
      announce(endpoint, tls, secret);
      List<ManagedChannel> open = new ArrayList<>();
      for (int i = 0; i < CONNECTIONS; i++) {
        open.add(channels.open(endpoint, tls));
      }
      AtomicLong agents = new AtomicLong();
      CallLoad.warmUp(open, REQUEST_TOKEN, connection -> request(secret, agents));
      CallLoad.Result issued =
          CallLoad.run(open, REQUEST_TOKEN, connection -> request(secret, agents), time);
      return List.of(
          Measurement.of(
                  "tokens bought over TLS, secret proved before, 64 in flight", issued.rate(), "/s")
              .atLeast(5_000),
          Measurement.of("  p50", issued.percentile(50), "ms"),
          Measurement.of("  p99", issued.percentile(99), "ms"));
    } finally {
      discovery.stop().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }
  }

  private static void announce(Endpoint endpoint, SSLContext tls, Secret secret) throws Exception {
    byte[] key = new byte[WireGuardKey.LENGTH];
    RANDOM.nextBytes(key);
    Duration timeout = Duration.ofSeconds(10);
    ConnectClient.https(endpoint, tls, timeout, timeout)
        .call(
            SERVICE + "RegisterColony",
            RegisterColonyRequest.newBuilder()
                .setMeshId(COLONY.value())
                .setWireguardPubkey(WireGuardKey.of(key).toString())
                .addPublicEndpoints("203.0.113.7:41820")
                .setMeshIpv4("10.42.0.1")
                .setConnectPort(9000)
                .setColonySecret(secret.reveal())
                .build(),
            RegisterColonyResponse.parser());
  }

  private static RequestRegistrationTokenRequest request(Secret secret, AtomicLong agents) {
    return RequestRegistrationTokenRequest.newBuilder()
        .setColonyId(COLONY.value())
        .setColonySecret(secret.reveal())
        .setAgentId("agent-" + agents.incrementAndGet())
        .setPublicKeySha256(ByteString.copyFrom(new byte[PublicKeyHash.LENGTH]))
        .build();
  }
}
