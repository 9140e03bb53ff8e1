package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import com.typesafe.config.ConfigFactory;
import coral.api.colony.v1.AllowRebindRequest;
import coral.api.colony.v1.AllowRebindResponse;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.colony.v1.RequestCertificateResponse;
import coral.api.colony.v1.RevokeCertificateRequest;
import coral.api.colony.v1.RevokeCertificateResponse;
import coral.api.mesh.v1.DeregisterAgentRequest;
import coral.api.mesh.v1.DeregisterAgentResponse;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.certificate.CertificateRequests;
import coral.certificate.KeyType;
import coral.colony.ColonyProcess;
import coral.files.Pem;
import coral.model.AgentId;
import coral.rpc.ClientCertificate;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import coral.settings.SettingsLoader;
import coral.wireguard.KeyPair;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A colony process that is killed (SIGKILL) at random moments while agents join and leave and
 * others are revoked. After each start the audit log is what was recorded, without a gap, as signed
 * for the hours before; and what was acknowledged is in it, also what the last one was killed
 * behind.
 *
 * <p>Who kills when is repeated by {@code -Dcoral.crash.seed=N}; how the processes interleave is
 * not.
 */
class AuditCrashTest {
  private static final int KILLS = 12;
  private static final int WORKERS = 4;

  /** Hours of a history before the test, each of which is signed by the first start that lives. */
  private static final int HOURS = 4;

  @TempDir Path directory;

  private final long seed = Long.getLong("coral.crash.seed", new Random().nextLong());
  private final Random random = new Random(seed);
  private final ExecutorService workers = Executors.newFixedThreadPool(WORKERS);

  /** What calls have acknowledged, and so must be found whatever comes. */
  private final Queue<AuditReport.Fact> acknowledged = new ConcurrentLinkedQueue<>();

  private final AtomicInteger agents = new AtomicInteger();
  private @Nullable ColonyInstallation installation;
  private @Nullable ChildProcess running;

  private ColonyInstallation installation() {
    return Objects.requireNonNull(installation);
  }

  private String message() {
    return ", seed " + seed;
  }

  @AfterEach
  void end() throws InterruptedException {
    workers.shutdownNow();
    if (running != null) {
      running.kill();
      running.awaitExit();
    }
  }

  @Test
  @Timeout(600)
  void whatWasAcknowledgedIsInTheLogWhateverKillsTheColony() throws Exception {
    System.out.println(getClass().getSimpleName() + " seed " + seed);
    installation =
        ColonyInstallation.in(
            directory, InstantSource.offset(InstantSource.system(), Duration.ofHours(-HOURS - 1)));
    makeHistory();
    int lost = 0;
    for (int kill = 0; kill < KILLS; kill++) {
      ChildProcess colony = start();
      AuditReport.require(installation(), acknowledged, message());
      lost += work(colony);
      assertEquals(ChildProcess.KILLED, colony.awaitExit(), () -> colony.log() + message());
      assertEquals(List.of(), colony.errors(), () -> colony.log() + message());
    }
    assertTrue(lost >= KILLS, lost + " calls were not answered" + message());
    ChildProcess last = start();
    AuditReport report = AuditReport.require(installation(), acknowledged, message());
    assertTrue(report.roots() >= HOURS, () -> report + message());
    last.terminate();
    assertEquals(0, last.awaitExit(), () -> last.log() + message());
    System.out.printf(
        "%d kills; %d acknowledged changes, all in the log; %d calls not answered; %d records,"
            + " %d signed by %d roots%n",
        KILLS, acknowledged.size(), lost, report.records(), report.signed(), report.roots());
  }

  /** Starts the colony in hours that are over, in this process, whose clock can be told. */
  private void makeHistory() throws IOException {
    for (int hour = HOURS; hour > 0; hour--) {
      InstantSource then = InstantSource.offset(InstantSource.system(), Duration.ofHours(-hour));
      ColonyProcess.start(
              ConfigFactory.parseMap(
                      Map.of(
                          "coral.colony.directory",
                          installation().files().directory().toString(),
                          "coral.colony.listen.host",
                          "127.0.0.1",
                          "coral.colony.listen.port",
                          0,
                          "coral.colony.wireguard.port",
                          0,
                          "coral.colony.wireguard.device",
                          "user-space",
                          "coral.colony.management.port",
                          0))
                  .withFallback(
                      SettingsLoader.load(Optional.of(installation().files().settingsFile()))),
              then)
          .close();
    }
  }

  private ChildProcess start() throws Exception {
    ChildProcess colony = installation().start();
    running = colony;
    colony.awaitLine(ColonyInstallation.READY);
    return colony;
  }

  /** Lets all workers work until some calls are answered, and then kills. */
  private int work(ChildProcess colony) throws Exception {
    Run run = new Run(colony, 1 + random.nextInt(40), random.nextInt(5_000));
    List<Future<Boolean>> results = new ArrayList<>();
    for (int i = 0; i < WORKERS; i++) {
      Random choice = new Random(random.nextLong());
      results.add(workers.submit(() -> run.work(choice)));
    }
    int lost = 0;
    for (Future<Boolean> result : results) {
      lost += result.get(120, TimeUnit.SECONDS) ? 1 : 0;
    }
    return lost;
  }

  /** One life of the colony. */
  private final class Run {
    private final ChildProcess colony;
    private final AtomicInteger left;
    private final long delayMicros;
    private volatile boolean ending;

    Run(ChildProcess colony, int acknowledgements, long delayMicros) {
      this.colony = colony;
      this.left = new AtomicInteger(acknowledgements);
      this.delayMicros = delayMicros;
    }

    /** Until the colony is gone. Returns whether a call was left without an answer. */
    boolean work(Random choice) throws Exception {
      try {
        while (!ending) {
          live(choice);
        }
        return false;
      } catch (RpcException e) {
        // Nobody but the one who kills makes calls fail.
        if (!ending) {
          throw new AssertionError(e.getMessage() + message() + colony.log(), e);
        }
        return true;
      }
    }

    /** The life of one agent. */
    private void live(Random choice) throws RpcException, IOException {
      String id = "agent-" + agents.incrementAndGet();
      ClientCertificate certificate = certificate(id);
      ConnectClient own = installation().client(Optional.of(certificate));
      register(own, id, "join-" + id, "address-allocated");
      if (choice.nextBoolean()) {
        register(own, id, "again-" + id, "wireguard-key-replaced");
      }
      if (choice.nextBoolean()) {
        call(
            own,
            "coral.mesh.v1.MeshService/Deregister",
            DeregisterAgentRequest.getDefaultInstance(),
            DeregisterAgentResponse.parser());
        acknowledge("release-requested", id, "");
      }
      ConnectClient administrator = installation().administrator();
      call(
          administrator,
          "coral.colony.v1.ColonyService/RevokeCertificate",
          RevokeCertificateRequest.newBuilder().setAgentId(id).setReason("end of " + id).build(),
          RevokeCertificateResponse.parser());
      acknowledge("certificate-revoked", id, "end of " + id);
      call(
          administrator,
          "coral.colony.v1.CertificateService/AllowRebind",
          AllowRebindRequest.newBuilder().setAgentId(id).setReason("return of " + id).build(),
          AllowRebindResponse.parser());
      acknowledge("rebind-allowed", id, "return of " + id);
    }

    private ClientCertificate certificate(String id) throws RpcException {
      java.security.KeyPair keys = KeyType.P_256.generate();
      RequestCertificateResponse issued =
          call(
              installation().client(Optional.empty()),
              "coral.colony.v1.ColonyService/RequestCertificate",
              RequestCertificateRequest.newBuilder()
                  .setInvitation(installation().invitation())
                  .setAgentId(id)
                  .setRequestId("certificate-" + id)
                  .setCsr(ByteString.copyFrom(CertificateRequests.create(new AgentId(id), keys)))
                  .build(),
              RequestCertificateResponse.parser());
      acknowledge("certificate-issued", id, "certificate-" + id);
      return new ClientCertificate(
          keys.getPrivate(), Pem.certificates(issued.getCertificate().toByteArray()));
    }

    private void register(ConnectClient own, String id, String requestId, String kind)
        throws RpcException {
      call(
          own,
          "coral.mesh.v1.MeshService/Register",
          RegisterAgentRequest.newBuilder()
              .setWireguardPubkey(KeyPair.generate().publicKey().toString())
              .setRequestId(requestId)
              .build(),
          RegisterAgentResponse.parser());
      acknowledge(kind, id, requestId);
    }

    private <T extends Message> T call(
        ConnectClient client, String rpc, Message request, Parser<T> response) throws RpcException {
      return client.call(rpc, request, response);
    }

    private void acknowledge(String kind, String subject, String words) {
      acknowledged.add(new AuditReport.Fact(kind, subject, words));
      if (left.decrementAndGet() == 0) {
        ending = true;
        long end = System.nanoTime() + TimeUnit.MICROSECONDS.toNanos(delayMicros);
        while (System.nanoTime() - end < 0) {
          Thread.onSpinWait(); // too short for a timer
        }
        colony.kill();
      }
    }
  }
}
