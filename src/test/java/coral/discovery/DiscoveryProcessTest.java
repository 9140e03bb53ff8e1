package coral.discovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Message;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.api.discovery.v1.DiscoveryProto;
import coral.api.discovery.v1.DiscoveryServiceClient;
import coral.api.discovery.v1.HealthRequest;
import coral.api.discovery.v1.HealthResponse;
import coral.api.discovery.v1.LookupColonyRequest;
import coral.api.discovery.v1.LookupColonyResponse;
import coral.api.discovery.v1.RegisterColonyRequest;
import coral.api.discovery.v1.RegisterColonyResponse;
import coral.api.reflection.v1.ServerReflectionProto;
import coral.model.Endpoint;
import coral.model.Failure;
import coral.model.Fingerprint;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcChannel;
import coral.rpc.RpcException;
import coral.settings.SettingsLoader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.apache.pekko.actor.ActorSystem;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** The whole service: TLS on a loopback port, a DuckDB file, a clock that the test sets. */
final class DiscoveryProcessTest {
  private static final String SERVICE = "coral.discovery.v1.DiscoveryService/";
  private static final String SECRET = "coral-sec_a-secret-that-nobody-should-find-4711";
  private static final String OTHER = "coral-sec_the-secret-of-somebody-else";
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  @TempDir Path directory;
  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));
  private final InstantSource clock = now::get;
  private final ListAppender<ILoggingEvent> logs = new ListAppender<>();
  private DiscoveryProcess process;

  @BeforeEach
  void start() throws Exception {
    logs.start();
    ((Logger) LoggerFactory.getLogger("ROOT")).addAppender(logs);
    process = start("");
  }

  @AfterEach
  void stop() throws Exception {
    ((Logger) LoggerFactory.getLogger("coral.discovery")).setLevel(null);
    stop(process);
    ((Logger) LoggerFactory.getLogger("ROOT")).detachAppender(logs);
  }

  private DiscoveryProcess start(String settings) throws Exception {
    Config config =
        ConfigFactory.parseString(
                "coral.discovery { host = 127.0.0.1, port = 0, directory = \""
                    + directory
                    + "\" }\n"
                    + settings)
            .withFallback(SettingsLoader.load(Optional.empty()));
    return DiscoveryProcess.start(DiscoverySettings.from(config), config, clock);
  }

  private static void stop(DiscoveryProcess process) throws Exception {
    process.stop().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private void restart(String settings) throws Exception {
    stop(process);
    process = start(settings);
  }

  private ConnectClient client() {
    Endpoint endpoint = new Endpoint("127.0.0.1", process.port());
    return process.fingerprint().isPresent()
        ? ConnectClient.https(
            endpoint, ClientTls.pinnedLeaf(process.fingerprint().get()), TIMEOUT, TIMEOUT)
        : ConnectClient.plaintext(endpoint, TIMEOUT, TIMEOUT);
  }

  private static RegisterColonyRequest.Builder colony(String meshId) {
    byte[] key = new byte[32];
    key[0] = 9;
    return RegisterColonyRequest.newBuilder()
        .setMeshId(meshId)
        .setWireguardPubkey(Base64.getEncoder().encodeToString(key))
        .addPublicEndpoints("203.0.113.7:41820")
        .addPublicEndpoints("[2001:db8::7]:41820")
        .setMeshIpv4("10.42.0.1")
        .setMeshIpv6("fd42::1")
        .setConnectPort(9000)
        .putMetadata("environment", "prod")
        .setColonySecret(SECRET);
  }

  private RegisterColonyResponse register(RegisterColonyRequest.Builder request) throws Exception {
    return client()
        .call(SERVICE + "RegisterColony", request.build(), RegisterColonyResponse.parser());
  }

  private LookupColonyResponse lookup(String meshId) throws Exception {
    return client()
        .call(
            SERVICE + "LookupColony",
            LookupColonyRequest.newBuilder().setMeshId(meshId).build(),
            LookupColonyResponse.parser());
  }

  private Failure refusal(RegisterColonyRequest.Builder request) {
    return assertThrows(RpcException.class, () -> register(request)).failure();
  }

  @Test
  void whatAColonyAnnouncesIsLookedUpOverConnectAndGrpc() throws Exception {
    RegisterColonyResponse registered = register(colony("shop-prod"));
    assertTrue(registered.getSuccess());
    assertEquals(300, registered.getTtl());
    assertEquals(
        clock.instant().plusSeconds(300).getEpochSecond(), registered.getExpiresAt().getSeconds());
    LookupColonyResponse found = lookup("shop-prod");
    assertEquals(colony("x").getWireguardPubkey(), found.getWireguardPubkey());
    assertEquals(colony("x").getPublicEndpointsList(), found.getPublicEndpointsList());
    assertEquals("10.42.0.1", found.getMeshIpv4());
    assertEquals("fd42::1", found.getMeshIpv6());
    assertEquals(9000, found.getConnectPort());
    assertEquals(colony("x").getMetadataMap(), found.getMetadataMap());
    assertEquals(clock.instant().getEpochSecond(), found.getLastSeen().getSeconds());

    ActorSystem system = ActorSystem.create("client", ConfigFactory.load("pekko"));
    try {
      Endpoint endpoint = new Endpoint("127.0.0.1", process.port());
      Message overGrpc =
          DiscoveryServiceClient.create(
                  RpcChannel.grpcClient(
                      endpoint, ClientTls.pinnedLeaf(process.fingerprint().orElseThrow()), system),
                  system)
              .lookupColony(LookupColonyRequest.newBuilder().setMeshId("shop-prod").build())
              .toCompletableFuture()
              .get(10, TimeUnit.SECONDS);
      assertEquals(found, overGrpc);
    } finally {
      system.terminate();
    }
  }

  @Test
  void anEntryExpiresAndItsOwnershipOutlivesIt() throws Exception {
    register(colony("shop-prod"));
    now.updateAndGet(t -> t.plusSeconds(299));
    lookup("shop-prod");
    now.updateAndGet(t -> t.plusSeconds(1));
    assertEquals(
        Failure.NOT_FOUND, assertThrows(RpcException.class, () -> lookup("shop-prod")).failure());
    assertEquals(Failure.MESH_ID_TAKEN, refusal(colony("shop-prod").setColonySecret(OTHER)));
    now.updateAndGet(t -> t.plus(Duration.ofDays(30)));
    register(colony("shop-prod").setColonySecret(OTHER));
    assertEquals(Failure.MESH_ID_TAKEN, refusal(colony("shop-prod")));
  }

  @Test
  void aMeshIdBelongsToTheSecretThatFirstRegisteredItAlsoAfterARestart() throws Exception {
    register(colony("shop-prod"));
    Fingerprint pin = process.fingerprint().orElseThrow();
    assertEquals(Failure.MESH_ID_TAKEN, refusal(colony("shop-prod").setColonySecret(OTHER)));
    LookupColonyResponse before = lookup("shop-prod");
    restart("");
    assertEquals(pin, process.fingerprint().orElseThrow());
    assertEquals(before, lookup("shop-prod"));
    assertEquals(Failure.MESH_ID_TAKEN, refusal(colony("shop-prod").setColonySecret(OTHER)));
    register(colony("shop-prod").setConnectPort(9001));
    assertEquals(9001, lookup("shop-prod").getConnectPort());
  }

  @Test
  void theSecretIsNeitherInAFileNorInALog() throws Exception {
    Logger discovery = (Logger) LoggerFactory.getLogger("coral.discovery");
    discovery.setLevel(Level.DEBUG);
    register(colony("shop-prod"));
    register(colony("shop-prod"));
    refusal(colony("shop-prod").setColonySecret(SECRET + "-wrong"));
    refusal(colony("shop-prod").setConnectPort(0));
    stop(process);
    byte[] needle = SECRET.getBytes(StandardCharsets.UTF_8);
    boolean hashSeen = false;
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String bytes = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        assertFalse(bytes.contains(new String(needle, StandardCharsets.ISO_8859_1)), file + "");
        hashSeen |= bytes.contains("$argon2id$v=19$m=19456,t=2,p=1$");
      }
    }
    assertTrue(hashSeen, "the search sees what the file holds");
    assertFalse(logs.list.isEmpty(), "the refused claim is in the log for debugging");
    logs.list.forEach(e -> assertFalse(e.getFormattedMessage().contains(SECRET), e + ""));
    process = start("");
  }

  @Test
  void everyBoundIsRefusedBeyondAndAcceptedAtItsEnd() throws Exception {
    RegisterColonyRequest.Builder most = colony("most").clearPublicEndpoints().clearMetadata();
    for (int i = 0; i < 16; i++) {
      most.addPublicEndpoints("h".repeat(249) + ":41820");
    }
    for (int i = 0; i < 32; i++) {
      most.putMetadata("k".repeat(253) + (10 + i), "v".repeat(255));
    }
    register(most.setColonySecret("s".repeat(512)));
    register(colony("least").setColonySecret("s".repeat(22)));
    for (RegisterColonyRequest.Builder bad :
        new RegisterColonyRequest.Builder[] {
          most.clone().addPublicEndpoints("a:1"),
          most.clone().setPublicEndpoints(0, "h".repeat(250) + ":41820"),
          most.clone().putMetadata("one more", ""),
          colony("m").putMetadata("k".repeat(256), ""),
          colony("m").putMetadata("k", "v".repeat(256)),
          colony("m").setColonySecret(""),
          colony("m").setColonySecret("s".repeat(21)),
          colony("m").setColonySecret("s".repeat(513)),
          colony("M"),
          colony(""),
          colony("m").setWireguardPubkey("AAAA"),
          colony("m").clearPublicEndpoints(),
          colony("m").addPublicEndpoints("no-port"),
          colony("m").setMeshIpv4("fd42::1"),
          colony("m").setMeshIpv6("10.42.0.1"),
          colony("m").setMeshIpv4("localhost"),
          colony("m").setConnectPort(0),
          colony("m").setConnectPort(65536)
        }) {
      assertEquals(Failure.INVALID_ARGUMENT, refusal(bad), bad.toString());
    }
    assertEquals(
        Failure.LIMIT_REACHED, refusal(colony("m").putMetadata("k", "v".repeat(40 << 10))));
    assertEquals(Failure.NOT_FOUND, assertThrows(RpcException.class, () -> lookup("m")).failure());
  }

  @Test
  void aFullDirectoryRefusesNewColoniesAndRenewsOldOnes() throws Exception {
    restart("coral.discovery.max-colonies = 2");
    register(colony("a"));
    register(colony("b"));
    assertEquals(Failure.LIMIT_REACHED, refusal(colony("c")));
    register(colony("a"));
    HealthResponse health =
        client()
            .call(SERVICE + "Health", HealthRequest.getDefaultInstance(), HealthResponse.parser());
    assertEquals("ok", health.getStatus());
    assertEquals(2, health.getRegisteredColonies());
  }

  @Test
  void plaintextIsServedOnlyWhenAskedFor() throws Exception {
    Endpoint endpoint = new Endpoint("127.0.0.1", process.port());
    ConnectClient plaintext = ConnectClient.plaintext(endpoint, TIMEOUT, TIMEOUT);
    assertThrows(
        RpcException.class,
        () ->
            plaintext.call(
                SERVICE + "Health", HealthRequest.getDefaultInstance(), HealthResponse.parser()));
    restart("coral.discovery.tls = off");
    assertTrue(process.fingerprint().isEmpty());
    register(colony("shop-prod"));
    lookup("shop-prod");
  }

  @Test
  void aPortInUseAndADatabaseInUseAreSaidSo() {
    IOException database = assertThrows(IOException.class, () -> start(""));
    assertTrue(
        String.valueOf(database.getMessage()).contains("discovery.duckdb"), database.toString());
    IOException port =
        assertThrows(
            IOException.class,
            () ->
                start(
                    "coral.discovery { directory = \""
                        + directory.resolve("second")
                        + "\", port = "
                        + process.port()
                        + " }"));
    assertTrue(String.valueOf(port.getMessage()).contains("" + process.port()), port.toString());
  }

  /** A signal's end is a success; this one is none. */
  @Test
  void anActorSystemThatEndsByItselfIsAFailureOfTheProcess() throws Exception {
    process.terminate();
    assertEquals(1, process.awaitEnd());
    process = start("");
    process.stop();
    assertEquals(0, process.awaitEnd());
  }

  @Test
  void theTableOfCallersNamesEveryRpc() {
    FileDescriptor[] served = {
      DiscoveryProto.getDescriptor(), ServerReflectionProto.getDescriptor()
    };
    assertEquals(0, DiscoveryEdge.AUTHORIZATION.missing(served).size());
    assertEquals(0, DiscoveryEdge.AUTHORIZATION.unknown(served).size());
  }
}
