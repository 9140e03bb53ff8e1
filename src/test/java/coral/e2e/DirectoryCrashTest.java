package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.discovery.v1.LookupColonyRequest;
import coral.api.discovery.v1.LookupColonyResponse;
import coral.api.discovery.v1.RegisterColonyRequest;
import coral.api.discovery.v1.RegisterColonyResponse;
import coral.files.Pem;
import coral.model.Endpoint;
import coral.model.Failure;
import coral.model.Fingerprint;
import coral.ownership.ColonyOwner;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import coral.testing.OwnerSignatures;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A discovery service that is killed (SIGKILL) at random moments while colonies announce
 * themselves: an acknowledged mesh id stays with its secret and its owner, the last acknowledged
 * announcement is what is found, and none of them is accepted again. Who kills when is repeated by
 * {@code -Dcoral.crash.seed=N}.
 */
class DirectoryCrashTest {
  private static final String SERVICE = "coral.discovery.v1.DiscoveryService/";
  private static final int KILLS = 5;
  private static final int WORKERS = 4;
  private static final int COLONIES_PER_WORKER = 12;

  @TempDir Path directory;

  private final long seed = Long.getLong("coral.crash.seed", new Random().nextLong());
  private final Random random = new Random(seed);
  private final ExecutorService workers = Executors.newFixedThreadPool(WORKERS);
  private final ScheduledExecutorService killer = Executors.newSingleThreadScheduledExecutor();
  private final List<List<WitnessColony>> colonies = new ArrayList<>();
  private int unanswered;
  private @Nullable ChildRuntime runtime;
  private @Nullable ChildProcess running;
  private @Nullable ConnectClient client;
  private Endpoint endpoint = new Endpoint("127.0.0.1", 1);
  private volatile boolean ending;

  /** A colony that remembers what was acknowledged; its announcements are numbered by port. */
  private final class WitnessColony {
    private final String meshId;
    private final String secret;

    /** Every other colony is of a version without one. */
    private final Optional<ColonyOwner> owner;

    private @Nullable RegisterColonyRequest last;
    private int sent;
    private int acknowledged;

    WitnessColony(String meshId, Random random) {
      this.meshId = meshId;
      this.secret = "secret of " + meshId + " " + random.nextLong();
      this.owner = random.nextBoolean() ? Optional.of(owner(meshId)) : Optional.empty();
    }

    void announce() throws RpcException {
      sent++;
      announceAgain();
    }

    private void announceAgain() throws RpcException {
      RegisterColonyRequest request = signed(unsigned(secret, sent));
      register(request);
      acknowledged = sent;
      last = request;
    }

    private RegisterColonyRequest.Builder unsigned(String withSecret, int port) {
      return RegisterColonyRequest.newBuilder()
          .setMeshId(meshId)
          .setWireguardPubkey(Base64.getEncoder().encodeToString(key()))
          .addPublicEndpoints("192.0.2.1:41820")
          .setMeshIpv4("10.42.0.1")
          .setConnectPort(port)
          .setColonySecret(withSecret);
    }

    private RegisterColonyRequest signed(RegisterColonyRequest.Builder request) {
      try {
        return owner.isPresent()
            ? OwnerSignatures.sign(owner.get(), request).build()
            : request.build();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private void register(RegisterColonyRequest request) throws RpcException {
      call("RegisterColony", request, RegisterColonyResponse.parser());
    }

    private void assertRefused(Failure failure, RegisterColonyRequest request) {
      RpcException refused =
          assertThrows(RpcException.class, () -> register(request), () -> meshId + message());
      assertEquals(failure, refused.failure(), meshId + refused.getMessage() + message());
    }

    private byte[] key() {
      byte[] key = new byte[32];
      new Random(meshId.hashCode()).nextBytes(key);
      return key;
    }

    boolean isAnswered() {
      return sent == acknowledged;
    }

    /** Finds what was acknowledged, or, if there is one, the announcement that was not answered. */
    void check() throws RpcException {
      if (acknowledged > 0) {
        int found = lookup();
        assertTrue(found == acknowledged || found == sent, meshId + ": " + found + message());
        assertRefused(
            Failure.MESH_ID_TAKEN, signed(unsigned("another secret of the same id", sent)));
        if (owner.isPresent()) {
          assertRefused(Failure.MESH_ID_TAKEN, unsigned(secret, sent).build());
          assertRefused(Failure.FAILED_PRECONDITION, Objects.requireNonNull(last));
        }
        assertEquals(found, lookup(), () -> meshId + message());
      }
      if (!isAnswered()) {
        announceAgain();
        assertEquals(sent, lookup(), () -> meshId + message());
      }
    }

    private int lookup() throws RpcException {
      LookupColonyResponse found =
          call(
              "LookupColony",
              LookupColonyRequest.newBuilder().setMeshId(meshId).build(),
              LookupColonyResponse.parser());
      assertEquals(
          Base64.getEncoder().encodeToString(key()), found.getWireguardPubkey(), () -> meshId);
      return found.getConnectPort();
    }
  }

  private ColonyOwner owner(String meshId) {
    try {
      return OwnerSignatures.owner(
          directory.resolve("owners").resolve(meshId), InstantSource.system());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private <T extends com.google.protobuf.Message> T call(
      String rpc, com.google.protobuf.Message request, com.google.protobuf.Parser<T> response)
      throws RpcException {
    return Objects.requireNonNull(client).call(SERVICE + rpc, request, response);
  }

  private String message() {
    return ", seed " + seed + "\n";
  }

  @BeforeEach
  void prepare() throws IOException {
    endpoint = new Endpoint("127.0.0.1", ChildRuntime.freePort());
    runtime = ChildRuntime.archived(directory);
    for (int worker = 0; worker < WORKERS; worker++) {
      colonies.add(new ArrayList<>());
    }
  }

  @AfterEach
  void endDiscovery() throws InterruptedException {
    killer.shutdownNow();
    workers.shutdownNow();
    if (running != null) {
      running.kill();
      running.awaitExit();
    }
  }

  @Test
  @Timeout(600)
  void anAcknowledgedMeshIdStaysWithItsOwnerWhateverIsKilled() throws Exception {
    System.out.println(getClass().getSimpleName() + " seed " + seed);
    ChildProcess first = start();
    work(first, 20, first::terminate);
    first.awaitExit();
    for (int kill = 0; kill < KILLS; kill++) {
      ChildProcess discovery = start();
      check();
      work(discovery, 1 + random.nextInt(60), discovery::kill);
      assertEquals(ChildProcess.KILLED, discovery.awaitExit(), () -> discovery.log() + message());
      assertEquals(List.of(), discovery.errors(), () -> discovery.log() + message());
    }
    start();
    check();
    assertTrue(unanswered > 0, unanswered + " unanswered" + message());
    System.out.printf(
        "%d colonies, %d announcements, %d of them unanswered%n",
        colonies.stream().mapToInt(List::size).sum(),
        colonies.stream().flatMap(List::stream).mapToInt(each -> each.sent).sum(),
        unanswered);
  }

  private ChildProcess start() throws IOException, InterruptedException, GeneralSecurityException {
    ChildProcess discovery =
        Objects.requireNonNull(runtime)
            .startService(
                Map.of(
                    "CORAL_DISCOVERY_NEW_COLONIES_BURST",
                    "10000",
                    "CORAL_DISCOVERY_SOURCE_BURST",
                    "100000",
                    "CORAL_DISCOVERY_WRONG_SECRET_WEIGHS",
                    "1",
                    "CORAL_DISCOVERY_COMPARISONS_BURST",
                    "100000",
                    "CORAL_HOME",
                    directory.resolve("home").toString(),
                    "CORAL_DISCOVERY_HOST",
                    "127.0.0.1",
                    "CORAL_DISCOVERY_PORT",
                    Integer.toString(endpoint.port()),
                    "CORAL_DISCOVERY_TTL",
                    "1h"),
                "discovery",
                "start");
    running = discovery;
    discovery.awaitLine("discovery listens at ");
    ending = false;
    if (client == null) {
      Path certificate = directory.resolve("home/discovery/tls-cert.pem");
      client =
          ConnectClient.https(
              endpoint,
              ClientTls.pinnedLeaf(
                  Fingerprint.of(Pem.readCertificates(certificate).get(0).getEncoded())),
              Duration.ofSeconds(10),
              Duration.ofSeconds(60));
    }
    return discovery;
  }

  /** Lets all workers announce until {@code end} was called, after so many acknowledgements. */
  private void work(ChildProcess discovery, int acknowledgements, Runnable end) throws Exception {
    AtomicInteger left = new AtomicInteger(acknowledgements);
    long delayMicros = random.nextInt(5_000);
    forEachWorker(
        (worker, choice) -> {
          List<WitnessColony> own = colonies.get(worker);
          try {
            while (!ending) {
              if (own.isEmpty() || (own.size() < COLONIES_PER_WORKER && choice.nextBoolean())) {
                own.add(new WitnessColony("mesh-" + worker + "-" + own.size(), choice));
                own.get(own.size() - 1).announce();
              } else {
                own.get(choice.nextInt(own.size())).announce();
              }
              if (left.decrementAndGet() == 0) {
                var unused = killer.schedule(() -> endNow(end), delayMicros, TimeUnit.MICROSECONDS);
              }
            }
          } catch (RpcException e) {
            // Nobody but the one who ends the service makes calls fail.
            if (!ending) {
              throw new AssertionError(e.getMessage() + message() + discovery.log(), e);
            }
          }
        });
  }

  private void endNow(Runnable end) {
    ending = true;
    end.run();
  }

  private void check() throws Exception {
    for (List<WitnessColony> own : colonies) {
      unanswered += (int) own.stream().filter(colony -> !colony.isAnswered()).count();
    }
    forEachWorker(
        (worker, choice) -> {
          for (WitnessColony colony : colonies.get(worker)) {
            colony.check();
          }
        });
  }

  private interface Work {
    void run(int worker, Random choice) throws RpcException;
  }

  private void forEachWorker(Work work) throws Exception {
    List<Future<?>> results = new ArrayList<>();
    for (int i = 0; i < WORKERS; i++) {
      int worker = i;
      Random choice = new Random(random.nextLong());
      results.add(
          workers.submit(
              () -> {
                work.run(worker, choice);
                return worker;
              }));
    }
    for (Future<?> result : results) {
      try {
        result.get(120, TimeUnit.SECONDS);
      } catch (ExecutionException e) {
        throw new AssertionError(e.getCause() + message(), e);
      }
    }
  }
}
