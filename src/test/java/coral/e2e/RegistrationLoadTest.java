package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import coral.api.colony.v1.Allocation;
import coral.api.colony.v1.GetCACertificateRequest;
import coral.api.colony.v1.GetCACertificateResponse;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.colony.v1.RequestCertificateResponse;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.certificate.CertificateRequests;
import coral.certificate.KeyType;
import coral.colony.ColonyFiles;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.Endpoint;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.wireguard.KeyPair;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Many agents register with a colony in a process of its own, which is then killed. */
class RegistrationLoadTest {
  private static final int AGENTS = 500;
  private static final int CALLS_PER_SECOND = 200;
  private static final int CALLERS = 32;
  private static final Duration TIMEOUT = Duration.ofSeconds(60);
  private static final Pattern READY = Pattern.compile("is ready after .* gRPC on \\S*:(\\d+),");

  @TempDir Path home;

  private ColonyFiles.Created created;

  /** An agent that has its certificate, and a connection on which it has shown it. */
  private record Member(AgentId id, KeyPair keys, HeldConnection connection) {
    String register(int attempt) throws IOException {
      RegisterAgentResponse response =
          connection.call(
              "coral.mesh.v1.MeshService/Register",
              RegisterAgentRequest.newBuilder()
                  .setWireguardPubkey(keys.publicKey().toString())
                  .setRequestId(id + "-" + attempt)
                  .setComponentName("load")
                  .build(),
              RegisterAgentResponse.parser());
      return response.getAssignedIp() + " " + response.getAssignedIpv6();
    }
  }

  /** What was answered: addresses, and the messages of calls that failed. */
  private record Answers(List<CompletableFuture<String>> calls) {
    List<String> failures() {
      List<String> failures = new ArrayList<>();
      for (CompletableFuture<String> call : calls) {
        try {
          call.join();
        } catch (CompletionException e) {
          failures.add(String.valueOf(e.getCause()));
        }
      }
      return failures;
    }

    String of(int call) {
      return calls.get(call).join();
    }
  }

  private final List<HeldConnection> connections = new CopyOnWriteArrayList<>();

  @AfterEach
  void closeConnections() throws IOException {
    for (HeldConnection connection : connections) {
      connection.close();
    }
  }

  @BeforeEach
  void makeColony() throws IOException {
    created = ColonyFiles.create("shop", "load", home, InstantSource.system());
  }

  /** Each agent registers as a new one, and once more as one that was started again. */
  @Test
  @Timeout(600)
  void twoHundredRegistrationsASecondAreAllAnsweredAndNoneIsLost(TestReporter reporter)
      throws Exception {
    Map<String, String> given = new TreeMap<>();
    try (ChildProcess colony = startColony()) {
      List<Member> members = bootstrap(endpoint(colony));
      List<Callable<String>> calls = new ArrayList<>();
      for (int attempt = 1; attempt <= 2; attempt++) {
        for (Member member : members) {
          int number = attempt;
          calls.add(() -> member.register(number));
        }
      }
      Duration computedBefore = colony.cpuTime();
      long begin = System.nanoTime();
      Answers answers = paced(calls);
      assertEquals(List.of(), answers.failures());
      double seconds = (System.nanoTime() - begin) / 1e9;
      // On a machine that does other things, too, the second figure says what it could do.
      reporter.publishEntry(
          "registrations",
          "%d in %.1f s, for which the colony computed %.1f s"
              .formatted(
                  answers.calls().size(),
                  seconds,
                  colony.cpuTime().minus(computedBefore).toMillis() / 1e3));
      for (int i = 0; i < AGENTS; i++) {
        String id = members.get(i).id().value();
        given.put(id, answers.of(i));
        assertEquals(answers.of(i), answers.of(AGENTS + i), () -> "the second answer to " + id);
      }
      colony.kill();
      colony.awaitExit();
    }
    assertEquals(AGENTS, given.size());
    assertEquals(AGENTS, new HashSet<>(given.values()).size(), "an address was given twice");

    try (ChildProcess colony = startColony()) {
      Map<String, String> kept = new TreeMap<>();
      for (Allocation allocation : new Administrator(created, endpoint(colony)).allocations()) {
        kept.put(
            allocation.getAgentId(), allocation.getIpAddress() + " " + allocation.getIpv6Address());
      }
      assertEquals(given, kept);
      colony.terminate();
      assertEquals(0, colony.awaitExit());
    }
  }

  private ChildProcess startColony() throws Exception {
    Path settings =
        Files.writeString(
            home.resolve("load.conf"),
            "coral.colony { listen { host = 127.0.0.1, port = 0 }, management.port = 0,"
                + " wireguard { device = user-space, port = 0 } }\n",
            StandardCharsets.UTF_8);
    return ChildRuntime.of(Files.createDirectories(home.resolve("tmp")), "-Xmx512m")
        .startService(
            Map.of("CORAL_HOME", home.toString()),
            "colony",
            "start",
            "--colony",
            created.colonyId().value(),
            "--config",
            settings.toString());
  }

  /** Waits until the colony is ready. */
  private static Endpoint endpoint(ChildProcess colony) throws InterruptedException {
    Matcher ready =
        READY.matcher(colony.await(0, line -> READY.matcher(line).find(), "the colony's port"));
    assertTrue(ready.find());
    return new Endpoint("127.0.0.1", Integer.parseInt(ready.group(1)));
  }

  /** Buys all certificates, and opens all connections. */
  private List<Member> bootstrap(Endpoint endpoint) throws Exception {
    ConnectClient anonymous =
        ConnectClient.https(endpoint, tls(Optional.empty()), TIMEOUT, TIMEOUT);
    String invitation = new Administrator(created, endpoint).invite(AGENTS);
    ExecutorService callers = Executors.newFixedThreadPool(4);
    try {
      List<Callable<Member>> calls = new ArrayList<>();
      for (int i = 0; i < AGENTS; i++) {
        AgentId id = new AgentId("agent-" + i);
        calls.add(() -> bootstrap(id, invitation, anonymous, endpoint));
      }
      List<Member> members = new ArrayList<>();
      for (Future<Member> member : callers.invokeAll(calls)) {
        members.add(member.get());
      }
      return members;
    } finally {
      callers.shutdownNow();
    }
  }

  private SSLContext tls(Optional<ClientCertificate> own) {
    return ClientTls.pinned(
        created.caFingerprint(), "spiffe://" + created.colonyId() + "/colony", own);
  }

  private Member bootstrap(
      AgentId id, String invitation, ConnectClient anonymous, Endpoint endpoint) throws Exception {
    java.security.KeyPair keys = KeyType.P_256.generate();
    RequestCertificateResponse issued =
        anonymous.call(
            "coral.colony.v1.ColonyService/RequestCertificate",
            RequestCertificateRequest.newBuilder()
                .setAgentId(id.value())
                .setInvitation(invitation)
                .setCsr(ByteString.copyFrom(CertificateRequests.create(id, keys)))
                .build(),
            RequestCertificateResponse.parser());
    ClientCertificate certificate =
        new ClientCertificate(
            keys.getPrivate(), Pem.certificates(issued.getCertificate().toByteArray()));
    HeldConnection connection =
        HeldConnection.open(endpoint, tls(Optional.of(certificate)), TIMEOUT);
    connections.add(connection);
    // Until its first request a connection is a stranger's, and closed after ten seconds.
    connection.call(
        "coral.colony.v1.ColonyService/GetCACertificate",
        GetCACertificateRequest.getDefaultInstance(),
        GetCACertificateResponse.parser());
    return new Member(id, KeyPair.generate(), connection);
  }

  /** Makes the calls one after the other at the rate, whether or not those before are answered. */
  private static Answers paced(List<Callable<String>> calls) throws Exception {
    ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    ExecutorService callers = Executors.newFixedThreadPool(CALLERS);
    try {
      List<CompletableFuture<String>> answers = new CopyOnWriteArrayList<>();
      CountDownLatch begun = new CountDownLatch(calls.size());
      AtomicInteger next = new AtomicInteger();
      ScheduledFuture<?> beat =
          clock.scheduleAtFixedRate(
              () -> {
                int number = next.getAndIncrement();
                if (number < calls.size()) {
                  answers.add(
                      CompletableFuture.supplyAsync(() -> call(calls.get(number)), callers));
                  begun.countDown();
                }
              },
              0,
              TimeUnit.SECONDS.toMicros(1) / CALLS_PER_SECOND,
              TimeUnit.MICROSECONDS);
      begun.await();
      beat.cancel(false);
      return new Answers(List.copyOf(answers));
    } finally {
      clock.shutdownNow();
      callers.shutdown(); // what was begun is answered, or fails by its timeout
    }
  }

  private static String call(Callable<String> call) {
    try {
      return call.call();
    } catch (Exception e) {
      throw new CompletionException(e);
    }
  }
}
