package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import coral.agent.AgentProcess;
import coral.api.colony.v1.CreateInvitationRequest;
import coral.api.colony.v1.CreateInvitationResponse;
import coral.api.colony.v1.GetAuthorityStatusRequest;
import coral.api.colony.v1.GetAuthorityStatusResponse;
import coral.api.colony.v1.RotateAuthorityRequest;
import coral.api.colony.v1.RotateAuthorityResponse;
import coral.certificate.Identity;
import coral.files.Pem;
import coral.model.Endpoint;
import coral.model.Failure;
import coral.model.Fingerprint;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import coral.testing.Openssl;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A colony, as a process of its own, gets another root while its fleet works: RFD 020 (mTLS draft),
 * "CA rotation". Some agents are as they run, others connect, register and renew without a rest,
 * new ones join in each phase, and the colony is killed once.
 */
class RootRotationTest {
  /** Renewed after some 40 s: agents do so by themselves meanwhile. */
  private static final String SETTINGS =
      "authority.key-type = p-256, certificates.agent-validity = 90s";

  private static final int AGENTS = 6;
  private static final int RESTLESS_AGENTS = 24;

  /** Rounds of the restless agents in each phase. */
  private static final int ROUNDS = 2;

  /** Rounds in which the last agent follows. */
  private static final int PATIENCE = 60;

  /** Of a renewal, of a handshake, of one that was to be retired at a busy moment. */
  private static final Duration LONGEST_GAP = Duration.ofSeconds(5);

  private static final Set<String> OUTAGE =
      Set.of("SESSION_LOST", "COLONY_UNREACHABLE", "COLONY_NOT_READY");

  private static final String STATUS = "coral.colony.v1.CertificateService/GetAuthorityStatus";
  private static final GetAuthorityStatusRequest STATUS_OF =
      GetAuthorityStatusRequest.getDefaultInstance();
  private static final Parser<GetAuthorityStatusResponse> ANSWER =
      GetAuthorityStatusResponse.parser();

  private static final Pattern ONE_IS_MISSING = Pattern.compile("\\b1 of \\d+ agents");
  private static final ObjectMapper JSON = new ObjectMapper();

  private record Member(AgentProcess process, AgentEvents events) {}

  @TempDir Path home;

  private final Map<String, Member> members = new LinkedHashMap<>();
  private IdentitySite site;
  private ChildRuntime runtime;
  private ChildProcess colony;
  private RestlessFleet fleet;
  private X509Certificate first;
  private int port;
  private int joined;
  private long outageMillis;

  @BeforeEach
  void start() throws Exception {
    Openssl.require();
    port = ChildRuntime.freePort();
    site = IdentitySite.create(home);
    first = root();
    runtime = ChildRuntime.small(Files.createDirectories(home.resolve("tmp")), "384m");
    colony = site.startColonyProcess(runtime, port, SETTINGS);
    site.joinOnce("first", site.secret()); // so discovery knows the colony
    site.administrator(endpoint()).revoke("first", "has gone"); // nobody waits for it
    fleet = new RestlessFleet(endpoint());
  }

  @AfterEach
  void stop() throws Exception {
    members.values().forEach(member -> member.process().close());
    fleet.close();
    colony.close();
    site.close();
  }

  @Test
  @Timeout(300)
  void everyAgentFollowsToTheNewRootAndNoneIsRefused(TestReporter reporter) throws Exception {
    long begin = System.nanoTime();
    for (int i = 0; i < AGENTS; i++) {
      joinByToken("");
    }
    for (int i = 0; i < RESTLESS_AGENTS; i++) {
      joinRestless();
    }
    ClientCertificate early = fleet.agents().get(0).certificate();
    fleet.start();
    fleet.awaitRounds(ROUNDS);

    leave("agent-1");
    assertEquals("prepared", forward());
    assertWaitsForOne();
    comeBack("agent-1");
    work();
    assertEquals("distributed", step());
    killAndStartAgain();
    assertEquals("distributed", status().getRotation());
    assertEquals("active", step());
    leave("agent-2");
    assertEquals("draining", forward());
    assertWaitsForOne();
    comeBack("agent-2");
    work();
    renewAdministrator();
    assertEquals("retired", step());
    fleet.stop();

    assertEquals(List.of(), fleet.refusals());
    members.forEach((id, member) -> assertEquals(List.of(), member.events().failures(), id));
    assertTrue(fleet.longestGapMillis() < LONGEST_GAP.toMillis() + outageMillis, gap());
    assertNotEquals(first, root());
    assertEquals(status().getAgents(), status().getAgentsOnActiveRoot());
    assertOnlyTheNewRootIsTrusted();
    assertFirstRootIsWorthless(early);
    reporter.publishEntry(
        "rotation",
        (members.size() + fleet.agents().size())
            + " agents, "
            + fleet.answeredCalls()
            + " calls on connections of their own, none refused; "
            + gap()
            + "; down for "
            + outageMillis
            + " ms; "
            + (System.nanoTime() - begin) / 1_000_000_000
            + " s in all");
  }

  private String gap() {
    return "longest time without a session " + fleet.longestGapMillis() + " ms";
  }

  private String step() throws Exception {
    String phase = forward();
    work();
    return phase;
  }

  /** Lets the fleet work for a while, and two more join. */
  private void work() throws Exception {
    fleet.awaitRounds(ROUNDS);
    joinRestless();
    boolean isFirstRootTrusted = Pem.readCertificates(site.created.caCertificate()).contains(first);
    joinByToken(isFirstRootTrusted ? "" : ", ca-fingerprint = \"" + fingerprint(root()) + "\"");
  }

  /** When the fleet is ready. */
  private String forward() throws Exception {
    for (int i = 0; i < PATIENCE; i++) {
      try {
        return forwardNow();
      } catch (RpcException e) {
        assertEquals(Failure.FAILED_PRECONDITION, e.failure(), e.getMessage());
        fleet.awaitRounds(1);
      }
    }
    throw colony.failure("the rotation waits and waits: " + fleet.standing());
  }

  /** However long: the others follow, and the one that is away is not left behind. */
  private void assertWaitsForOne() throws Exception {
    for (int i = 0; i < PATIENCE; i++) {
      RpcException refused = assertThrows(RpcException.class, this::forwardNow);
      assertEquals(Failure.FAILED_PRECONDITION, refused.failure(), refused.getMessage());
      if (ONE_IS_MISSING.matcher(String.valueOf(refused.getMessage())).find()) {
        return;
      }
      fleet.awaitRounds(1);
    }
    throw colony.failure("more agents are missing than the one that is away: " + fleet.standing());
  }

  private String forwardNow() throws Exception {
    return ask(
            "coral.colony.v1.CertificateService/RotateAuthority",
            RotateAuthorityRequest.getDefaultInstance(),
            RotateAuthorityResponse.parser())
        .getStatus()
        .getRotation();
  }

  private void killAndStartAgain() throws Exception {
    for (Map.Entry<String, Member> member : members.entrySet()) {
      assertEquals(List.of(), member.getValue().events().failures(), member.getKey());
    }
    long begin = System.nanoTime();
    fleet.expectOutage(true);
    colony.kill();
    assertEquals(ChildProcess.KILLED, colony.awaitExit());
    fleet.rest(true);
    colony = site.startColonyProcess(runtime, port, SETTINGS);
    fleet.rest(false);
    outageMillis = (System.nanoTime() - begin) / 1_000_000;
    for (Member member : members.values()) {
      JsonNode event = member.events().await("failed");
      assertTrue(OUTAGE.contains(event.path("kind").asText()), event.toString());
      member.events().await("joined");
      for (JsonNode failed : member.events().failures()) {
        assertTrue(OUTAGE.contains(failed.path("kind").asText()), failed.toString());
      }
    }
    fleet.awaitRounds(1);
    fleet.expectOutage(false);
  }

  private void joinByToken(String settings) throws Exception {
    assertEquals("token", join("agent-" + ++joined, settings).path("certificatePaidWith").asText());
  }

  private JsonNode join(String id, String settings) throws Exception {
    AgentEvents events = new AgentEvents();
    members.put(
        id, new Member(site.startAgent(id, site.secret() + settings, events.out()), events));
    return events.awaitAnswering("joined");
  }

  private void leave(String id) {
    Member leaving = Objects.requireNonNull(members.remove(id));
    assertEquals(List.of(), leaving.events().failures(), id);
    leaving.process().close();
  }

  /** With what is on its disk, by the pin of its first day. */
  private void comeBack(String id) throws Exception {
    join(id, "");
  }

  private void joinRestless() throws Exception {
    String id = "restless-" + ++joined;
    String invitation =
        ask(
                "coral.colony.v1.InvitationService/CreateInvitation",
                CreateInvitationRequest.newBuilder().setAgentId(id).build(),
                CreateInvitationResponse.parser())
            .getText();
    fleet.join(id, invitation);
  }

  /** As an operator does before the former root is retired. */
  private void renewAdministrator() throws Exception {
    try (ChildProcess renewal =
        runtime.start(Map.of("CORAL_HOME", home.toString()), "admin", "renew")) {
      assertEquals(0, renewal.awaitExit(), renewal::log);
    }
  }

  private void assertOnlyTheNewRootIsTrusted() throws Exception {
    X509Certificate root = root();
    Path anchor = Files.writeString(home.resolve("root.pem"), Pem.encode(root));
    for (RestlessAgent agent : fleet.agents()) {
      assertEquals(List.of(root), agent.trusted(), agent.id().value());
      assertLeadsTo(anchor, agent.id().value(), agent.certificate().chain());
    }
    for (String id : members.keySet()) {
      Path files = home.resolve("agents").resolve(id);
      byte[] bundle = Files.readAllBytes(files.resolve("trust-bundle.conf"));
      assertEquals(
          List.of(root),
          Pem.certificates(
              JSON.readTree(bundle)
                  .path("certificates")
                  .asText()
                  .getBytes(StandardCharsets.US_ASCII)),
          id);
      String identity = Files.readString(files.resolve("identity.pem"));
      assertLeadsTo(
          anchor,
          id,
          Pem.certificates(
              identity
                  .substring(identity.indexOf("-----BEGIN CERTIFICATE"))
                  .getBytes(StandardCharsets.US_ASCII)));
    }
  }

  private void assertLeadsTo(Path root, String id, List<X509Certificate> chain) throws Exception {
    Path file = Files.writeString(home.resolve("chain.pem"), Pem.encode(chain));
    String output =
        Openssl.run(
            "verify",
            "-x509_strict",
            "-purpose",
            "sslclient",
            "-CAfile",
            root.toString(),
            "-untrusted",
            file.toString(),
            file.toString());
    assertTrue(output.endsWith(": OK\n"), id + ": " + output);
  }

  /** So a refusal would have been seen. */
  private void assertFirstRootIsWorthless(ClientCertificate early) {
    RpcException refused =
        assertThrows(
            RpcException.class,
            () -> client(List.of(root()), early).call(STATUS, STATUS_OF, ANSWER));
    assertEquals(RpcException.Reason.CERTIFICATE_REFUSED, refused.reason(), refused.getMessage());
    RpcException untrusted =
        assertThrows(
            RpcException.class,
            () -> client(List.of(first), administrator()).call(STATUS, STATUS_OF, ANSWER));
    assertEquals(RpcException.Reason.SERVER_NOT_TRUSTED, untrusted.reason());
  }

  private GetAuthorityStatusResponse status() throws Exception {
    return ask(STATUS, STATUS_OF, ANSWER);
  }

  /** As the administrator, who has both certificate and trust from the colony's folder. */
  private <T extends Message> T ask(String method, Message request, Parser<T> answer)
      throws Exception {
    return client(Pem.readCertificates(site.created.caCertificate()), administrator())
        .call(method, request, answer);
  }

  private ClientCertificate administrator() throws Exception {
    Identity identity =
        Identity.load(site.created.administratorCertificate(), site.created.administratorKey());
    return new ClientCertificate(identity.key(), identity.chain());
  }

  private ConnectClient client(List<X509Certificate> roots, ClientCertificate as) {
    return ConnectClient.https(
        endpoint(),
        ClientTls.trusting(
            roots, "spiffe://" + site.created.colonyId() + "/colony", Optional.of(as)),
        Duration.ofSeconds(20),
        Duration.ofSeconds(60));
  }

  /** The one that signs now. */
  private X509Certificate root() throws Exception {
    return Pem.readCertificates(site.created.caCertificate()).get(0);
  }

  private static Fingerprint fingerprint(X509Certificate root) throws Exception {
    return Fingerprint.of(root.getEncoded());
  }

  private Endpoint endpoint() {
    return new Endpoint("127.0.0.1", port);
  }
}
