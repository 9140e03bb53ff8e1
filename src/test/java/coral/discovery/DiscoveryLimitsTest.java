package coral.discovery;

import static coral.discovery.RunningDiscovery.COLONY;
import static coral.discovery.RunningDiscovery.OTHER;
import static coral.discovery.RunningDiscovery.SECRET;
import static coral.discovery.RunningDiscovery.request;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.protobuf.util.Durations;
import com.google.rpc.RetryInfo;
import com.typesafe.config.ConfigFactory;
import coral.api.discovery.v1.DiscoveryServiceClient;
import coral.api.discovery.v1.RequestRegistrationTokenRequest;
import coral.model.Endpoint;
import coral.model.Failure;
import coral.rpc.ClientTls;
import coral.rpc.FailureStatus;
import coral.rpc.RpcChannel;
import coral.rpc.RpcException;
import coral.settings.SettingsException;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.actor.ActorSystem;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How much anybody may ask, of a discovery that runs: case S1 and S3 at its port. */
final class DiscoveryLimitsTest {
  private static final String LIMITS = "coral.discovery.limits.";

  @TempDir Path directory;
  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));
  private final InstantSource clock = now::get;
  private RunningDiscovery discovery;

  @BeforeEach
  void start() throws Exception {
    discovery = RunningDiscovery.start(directory, clock, "");
    discovery.register(COLONY, SECRET);
  }

  @AfterEach
  void stop() throws Exception {
    discovery.close();
  }

  private void restart(String settings) throws Exception {
    discovery.close();
    discovery = RunningDiscovery.start(directory, clock, settings);
  }

  private void pass(Duration time) {
    now.updateAndGet(t -> t.plus(time));
  }

  private RpcException refused(RequestRegistrationTokenRequest.Builder request) {
    return assertThrows(RpcException.class, () -> discovery.token(request));
  }

  private void assertLimited(RpcException refused, Duration wait) {
    assertEquals(Failure.LIMIT_REACHED, refused.failure());
    assertEquals(Optional.of(wait), refused.retryAfter());
  }

  @Test
  void s1ASourceIsLimitedWhateverItShowsAndAnotherIsNot() throws Exception {
    restart(LIMITS + "source { burst = 3, interval = 1m }");
    discovery.token(request(COLONY, SECRET, "a")); // counts twice: its proof is not remembered
    discovery.token(request(COLONY, SECRET, "b"));
    assertLimited(refused(request(COLONY, SECRET, "c")), Duration.ofMinutes(1));
    assertLimited(refused(request(COLONY, OTHER, "c")), Duration.ofMinutes(1));
    discovery.token("::1", request(COLONY, SECRET, "c"));
    pass(Duration.ofMinutes(1));
    discovery.token(request(COLONY, SECRET, "c"));
  }

  @Test
  void s1WrongSecretsWeighMoreForAnnouncementsToo() throws Exception {
    restart(
        LIMITS + "source { burst = 20, interval = 1s }\n" + LIMITS + "wrong-secret-weighs = 10");
    for (int i = 0; i < 2; i++) {
      RpcException wrong =
          assertThrows(RpcException.class, () -> discovery.register(COLONY, OTHER));
      assertEquals(Failure.MESH_ID_TAKEN, wrong.failure());
    }
    assertLimited(
        assertThrows(RpcException.class, () -> discovery.register(COLONY, OTHER)),
        Duration.ofSeconds(1));
    assertLimited(refused(request(COLONY, SECRET, "a")), Duration.ofSeconds(1));
  }

  @Test
  void s1AnAgentAColonyAndAllTogetherAreLimited() throws Exception {
    discovery.register("colony-2", OTHER);
    discovery.register("colony-3", OTHER);
    restart(
        LIMITS
            + "tokens-of-agent { burst = 2, interval = 10s }\n"
            + LIMITS
            + "tokens-of-colony { burst = 4, interval = 20s }\n"
            + LIMITS
            + "tokens { burst = 6, interval = 30s }");
    discovery.token(request(COLONY, SECRET, "a"));
    discovery.token(request(COLONY, SECRET, "a"));
    assertLimited(refused(request(COLONY, SECRET, "a")), Duration.ofSeconds(10));
    discovery.token(request(COLONY, SECRET, "b"));
    discovery.token(request(COLONY, SECRET, "c"));
    assertLimited(refused(request(COLONY, SECRET, "d")), Duration.ofSeconds(20));
    discovery.token(request("colony-2", OTHER, "a"));
    discovery.token(request("colony-2", OTHER, "b"));
    assertLimited(refused(request("colony-3", OTHER, "a")), Duration.ofSeconds(30));
    pass(Duration.ofSeconds(30));
    discovery.token(request("colony-3", OTHER, "a"));
  }

  @Test
  void s1ComparisonsAreLimitedAndAProvenSecretDoesNotNeedThem() throws Exception {
    restart(LIMITS + "comparisons { burst = 2, interval = 10s }");
    discovery.token(request(COLONY, SECRET, "a"));
    assertEquals(Failure.UNAUTHENTICATED, refused(request("unknown", SECRET, "a")).failure());
    assertLimited(refused(request("unknown", SECRET, "a")), Duration.ofSeconds(10));
    discovery.token(request(COLONY, SECRET, "a"));
  }

  /**
   * Argon2 is not reached by what a full queue refuses, and the client is told when to come again.
   */
  @Test
  void s3BeyondTheQueueOfHashesACallerIsToldToComeAgain() throws Exception {
    restart("coral.discovery.max-waiting-hashes = 1");
    int callers = 40 + 2 * Runtime.getRuntime().availableProcessors();
    ExecutorService threads = Executors.newFixedThreadPool(callers);
    try {
      List<Future<RpcException>> answers = new ArrayList<>();
      for (int i = 0; i < callers; i++) {
        String unknown = "unknown-" + i;
        answers.add(threads.submit(() -> refused(request(unknown, SECRET, "a"))));
      }
      int limited = 0;
      for (Future<RpcException> answer : answers) {
        RpcException refused = answer.get(60, TimeUnit.SECONDS);
        if (refused.failure() == Failure.LIMIT_REACHED) {
          assertLimited(refused, Duration.ofSeconds(1));
          limited++;
        } else {
          assertEquals(Failure.UNAUTHENTICATED, refused.failure(), refused.getMessage());
        }
      }
      assertTrue(limited > 0 && limited < callers, limited + " of " + callers);
    } finally {
      threads.shutdownNow();
    }
    discovery.token(request(COLONY, SECRET, "a"));
  }

  /** Lookups, keys and health: what everybody may know, and nobody may ask for without end. */
  @Test
  void s1QuestionsOfASourceAreLimitedBeforeTheyAreLookedAt() throws Exception {
    restart(LIMITS + "lookups { burst = 4, interval = 1m }");
    discovery.lookup(COLONY);
    assertThrows(RpcException.class, () -> discovery.lookup("unknown"));
    discovery.keys();
    assertEquals(200, discovery.keySet().statusCode());
    for (int i = 0; i < 2; i++) {
      assertLimited(
          assertThrows(RpcException.class, () -> discovery.lookup("Not An Id")),
          Duration.ofMinutes(1));
      assertLimited(
          assertThrows(RpcException.class, () -> discovery.keys()), Duration.ofMinutes(1));
      HttpResponse<String> limited = discovery.keySet();
      assertEquals(429, limited.statusCode());
      assertEquals("60", limited.headers().firstValue("retry-after").orElse(""));
    }
    discovery.token(request(COLONY, SECRET, "a")); // which has a limit of its own
    pass(Duration.ofMinutes(1));
    discovery.lookup(COLONY);
    assertEquals(429, discovery.keySet().statusCode());
  }

  private int statusFor(String forwardedFor) throws Exception {
    return discovery.keySet(Optional.of(forwardedFor)).statusCode();
  }

  @Test
  void behindATrustedProxyEachClientHasALimitOfItsOwn() throws Exception {
    String lookups = LIMITS + "lookups { burst = 1, interval = 1m }\n";
    restart(lookups + "coral.discovery.trusted-proxies = [\"127.0.0.0/8\", \"10.1.0.0/16\"]");
    assertEquals(200, statusFor("192.0.2.1"));
    assertEquals(429, statusFor("192.0.2.1"));
    assertEquals(429, statusFor("203.0.113.1, 192.0.2.1, 10.1.2.3"), "whatever the client wrote");
    assertEquals(200, statusFor("192.0.2.2"));
    assertEquals(200, discovery.keySet().statusCode());
    assertEquals(429, discovery.keySet().statusCode());
    restart(lookups + "coral.discovery.trusted-proxies = \"10.1.0.0/16,::1/128\"");
    assertEquals(200, statusFor("192.0.2.1"));
    assertEquals(429, statusFor("192.0.2.2"), "from anybody else the header says nothing");
  }

  @Test
  void proxiesAreGivenAsPrefixes() {
    SettingsException wrong =
        assertThrows(
            SettingsException.class,
            () ->
                RunningDiscovery.start(
                    directory, clock, "coral.discovery.trusted-proxies = [\"10.1.0.1/16\"]"));
    assertTrue(String.valueOf(wrong.getMessage()).contains("trusted-proxies"), wrong + "");
  }

  /** What a client of gRPC reads. */
  @Test
  void aLimitTellsWhenToComeAgainAsRetryInfo() throws Exception {
    restart(LIMITS + "tokens-of-agent { burst = 1, interval = 1500ms }");
    ActorSystem system = ActorSystem.create("client", ConfigFactory.load("pekko"));
    try {
      DiscoveryServiceClient client =
          DiscoveryServiceClient.create(
              RpcChannel.grpcClient(
                  new Endpoint("127.0.0.1", discovery.process().port()),
                  ClientTls.pinnedLeaf(discovery.process().fingerprint().orElseThrow()),
                  system),
              system);
      discovery.token(request(COLONY, SECRET, "a"));
      Throwable thrown =
          assertThrows(
              Exception.class,
              () ->
                  client
                      .requestRegistrationToken(request(COLONY, SECRET, "a").build())
                      .toCompletableFuture()
                      .get(10, TimeUnit.SECONDS));
      StatusRuntimeException status = (StatusRuntimeException) FailureStatus.unwrap(thrown);
      assertEquals(Optional.of(Duration.ofSeconds(2)), FailureStatus.retryAfter(status));
      byte[] details =
          status
              .getTrailers()
              .get(Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER));
      List<Long> delays = new ArrayList<>();
      for (Any detail : com.google.rpc.Status.parseFrom(details).getDetailsList()) {
        if (detail.is(RetryInfo.class)) {
          delays.add(Durations.toMillis(detail.unpack(RetryInfo.class).getRetryDelay()));
        }
      }
      assertEquals(List.of(1500L), delays);
    } finally {
      system.terminate();
    }
  }
}
