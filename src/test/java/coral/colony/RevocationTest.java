package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.api.colony.v1.AllowRebindRequest;
import coral.api.colony.v1.AllowRebindResponse;
import coral.api.colony.v1.Certificate;
import coral.api.colony.v1.GetCertificateStatusRequest;
import coral.api.colony.v1.GetCertificateStatusResponse;
import coral.api.colony.v1.ListAgentsRequest;
import coral.api.colony.v1.ListAgentsResponse;
import coral.api.colony.v1.ListCertificatesRequest;
import coral.api.colony.v1.ListCertificatesResponse;
import coral.api.colony.v1.RevokeCertificateRequest;
import coral.api.colony.v1.RevokeCertificateResponse;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.SessionClosed.Reason;
import coral.colony.TestColony.Member;
import coral.model.Failure;
import coral.model.WireGuardKey;
import coral.rpc.ClientCertificate;
import coral.rpc.FailureStatus;
import coral.rpc.RpcException;
import coral.testing.Eventually;
import coral.wireguard.KeyPair;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** L4, and the "revocation at once": what somebody has open when its identity ends. */
@Timeout(120)
class RevocationTest {
  private static final ActorSystem<Void> client =
      ActorSystem.create(Behaviors.empty(), "client", ConfigFactory.load());

  /** What is promised. */
  private static final long AT_ONCE_MILLIS = 1_000;

  @TempDir Path directory;

  @AfterAll
  static void stop() {
    client.terminate();
  }

  @Test
  void everythingThatARevokedAgentHasOpenEndsWithinASecondAndStaysEnded() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      Member web = colony.bootstrap("web-1");
      Member other = colony.bootstrap("web-2");
      WireGuardKey key = KeyPair.generate().publicKey();
      String address = colony.register(web, key, "r").getAssignedIp();
      colony.register(other, KeyPair.generate().publicKey(), "r");
      AgentStream stream = AgentStream.open(colony, Optional.of(web.certificate()), client);
      AgentStream others = AgentStream.open(colony, Optional.of(other.certificate()), client);
      stream.opened();
      others.opened();

      long begin = System.nanoTime();
      RevokeCertificateResponse revoked = revoke(colony, colony.administrator(), "web-1");
      assertTrue(revoked.getSuccess());
      assertEquals(
          List.of(Protobuf.serial(web.certificate().chain().get(0))),
          revoked.getSerialNumbersList());
      assertEquals(Reason.REVOKED, stream.next().getSessionClosed().getReason());
      assertEquals(Optional.empty(), stream.end());
      assertTrue(colony.process().device().statistics(key).isEmpty(), "its peer is gone");
      // The same HTTP/2 connection: refused, or reset before it could be.
      assertThrows(
          ExecutionException.class,
          () ->
              stream
                  .service()
                  .register(RegisterAgentRequest.getDefaultInstance())
                  .toCompletableFuture()
                  .get(10, TimeUnit.SECONDS));
      long took = (System.nanoTime() - begin) / 1_000_000;
      assertTrue(took < AT_ONCE_MILLIS, took + " ms");
      refusedByTheHandshake(colony, web, key);
      others.heartbeat(coral.api.mesh.v1.Heartbeat.newBuilder().setSequence(1));
      assertEquals(1, colony.process().device().statistics().size(), "the other's peer stays");

      colony.restart();
      assertEquals(1, colony.process().device().statistics().size(), "none is restored");
      refusedByTheHandshake(colony, web, key);
      assertEquals(
          Failure.FAILED_PRECONDITION, failure(() -> colony.bootstrap("web-1")), "until allowed");

      allowRebind(colony, "web-1");
      Member again = colony.bootstrap("web-1");
      assertEquals(
          address, colony.register(again, key, "r2").getAssignedIp(), "it was kept for it");
      assertTrue(colony.process().device().statistics(key).isPresent(), "it is a peer again");
      refusedByTheHandshake(colony, web, key);
    }
  }

  /** However lately it was seen. */
  @Test
  void aRevokedAgentIsShownAsSuch() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      colony.register(colony.bootstrap("web-1"), KeyPair.generate().publicKey(), "r");
      assertEquals("healthy", status(colony));
      revoke(colony, colony.administrator(), "web-1");
      assertEquals("revoked", status(colony));
      allowRebind(colony, "web-1");
      assertEquals("revoked", status(colony), "nobody has claimed it yet");
      colony.bootstrap("web-1");
      assertEquals("healthy", status(colony));
    }
  }

  private static String status(TestColony colony) throws Exception {
    return colony
        .call(
            Optional.of(colony.administrator()),
            TestColony.COLONY + "ListAgents",
            ListAgentsRequest.getDefaultInstance(),
            ListAgentsResponse.parser())
        .getAgents(0)
        .getStatus();
  }

  /** Revoked for a theft: whoever has the WireGuard key must not have it back by a restart. */
  @Test
  void theFormerHoldersPeerStaysAwayUntilTheNewHolderHasRegistered() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      WireGuardKey stolen = KeyPair.generate().publicKey();
      WireGuardKey young = KeyPair.generate().publicKey();
      colony.register(colony.bootstrap("web-1"), stolen, "r");
      assertTrue(isPeer(colony, stolen));
      revoke(colony, colony.administrator(), "web-1");
      allowRebind(colony, "web-1");
      Member claimed = colony.bootstrap("web-1");
      assertFalse(isPeer(colony, stolen));
      colony.restart();
      assertFalse(isPeer(colony, stolen), "its allocation has this key still");
      // A call, by which other certificates count as used.
      AgentStream stream = AgentStream.open(colony, Optional.of(claimed.certificate()), client);
      stream.opened();
      colony.restart();
      assertFalse(isPeer(colony, stolen), "it has not registered yet");

      colony.register(claimed, young, "r2");
      assertTrue(isPeer(colony, young));
      assertFalse(isPeer(colony, stolen));
      Eventually.holds(() -> assertEquals("current", list(colony, "web-1").get(0).getStatus()));
      colony.restart();
      assertTrue(isPeer(colony, young));
      assertEquals(1, colony.process().device().statistics().size());
    }
  }

  @Test
  void whenAnActiveIdIsClaimedAnewTheFormerHoldersTunnelEndsWithTheClaim() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      WireGuardKey former = KeyPair.generate().publicKey();
      colony.register(colony.bootstrap("web-1"), former, "r");
      allowRebind(colony, "web-1");
      assertTrue(isPeer(colony, former), "nobody has claimed it yet");
      Member claimed = colony.bootstrap("web-1");
      assertFalse(isPeer(colony, former));
      colony.restart();
      assertFalse(isPeer(colony, former));
      colony.register(claimed, former, "r2");
      assertTrue(isPeer(colony, former), "a host may keep its WireGuard key");
    }
  }

  private static boolean isPeer(TestColony colony, WireGuardKey key) {
    return colony.process().device().statistics(key).isPresent();
  }

  @Test
  void aCallThatIsUnderWayOnAConnectionOfTheRevokedEndsWithIt() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      Member web = colony.bootstrap("web-1");
      colony.register(web, KeyPair.generate().publicKey(), "r");
      AgentStream first = AgentStream.open(colony, Optional.of(web.certificate()), client);
      first.opened();
      // Not the session any more, but its connection is open and idle.
      AgentStream second = AgentStream.open(colony, Optional.of(web.certificate()), client);
      second.opened();
      assertEquals(Reason.SUPERSEDED, first.next().getSessionClosed().getReason());
      revoke(colony, colony.administrator(), "web-1");
      Eventually.holds(
          () -> {
            ExecutionException ended =
                assertThrows(
                    ExecutionException.class,
                    () ->
                        first
                            .service()
                            .register(RegisterAgentRequest.getDefaultInstance())
                            .toCompletableFuture()
                            .get(10, TimeUnit.SECONDS));
            assertNotEquals(Failure.INVALID_ARGUMENT, FailureStatus.failure(ended));
          });
    }
  }

  @Test
  void anOperatorRevokesMembersAndNoAdministrator() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      ClientCertificate operator = colony.bootstrap("ops", "operator").certificate();
      colony.bootstrap("web-1");
      assertTrue(revoke(colony, operator, "web-1").getSuccess());
      assertEquals(Failure.NOT_FOUND, failure(() -> revoke(colony, operator, "nobody")));
      assertEquals(
          Failure.INVALID_ARGUMENT,
          failure(
              () ->
                  colony.call(
                      Optional.of(operator),
                      TestColony.COLONY + "RevokeCertificate",
                      RevokeCertificateRequest.newBuilder()
                          .setAgentId("web-1")
                          .setReason("x".repeat(256))
                          .build(),
                      RevokeCertificateResponse.parser())));
    }
  }

  @Test
  void certificatesAreListedWithWhatBecameOfThem() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      Member web = colony.bootstrap("web-1");
      colony.bootstrap("ops", "operator");
      colony.register(web, KeyPair.generate().publicKey(), "r");
      revoke(colony, colony.administrator(), "ops");
      String serial = Protobuf.serial(web.certificate().chain().get(0));
      Eventually.holds(() -> assertEquals("revoked", list(colony, "ops").get(0).getStatus()));
      assertEquals(2, list(colony, "").size());
      Certificate ops = list(colony, "ops").get(0);
      assertEquals("operator", ops.getRole());
      assertEquals("lost", ops.getRevocationReason());
      assertTrue(ops.hasRevokedAt());
      GetCertificateStatusResponse status =
          colony.call(
              Optional.of(colony.administrator()),
              TestColony.CERTIFICATES + "GetCertificateStatus",
              GetCertificateStatusRequest.newBuilder().setSerialNumber(serial).build(),
              GetCertificateStatusResponse.parser());
      assertEquals("web-1", status.getCertificate().getAgentId());
      assertEquals(
          web.certificate().chain().get(0),
          coral.files.Pem.certificates(status.getPem().toByteArray()).get(0));
      assertEquals(
          Failure.NOT_FOUND,
          failure(
              () ->
                  colony.call(
                      Optional.of(colony.administrator()),
                      TestColony.CERTIFICATES + "GetCertificateStatus",
                      GetCertificateStatusRequest.newBuilder().setSerialNumber("0f").build(),
                      GetCertificateStatusResponse.parser())));
    }
  }

  private static List<Certificate> list(TestColony colony, String agentId) throws Exception {
    return colony
        .call(
            Optional.of(colony.administrator()),
            TestColony.CERTIFICATES + "ListCertificates",
            ListCertificatesRequest.newBuilder().setAgentId(agentId).build(),
            ListCertificatesResponse.parser())
        .getCertificatesList();
  }

  private static RevokeCertificateResponse revoke(
      TestColony colony, ClientCertificate as, String agentId) throws RpcException {
    return colony.call(
        Optional.of(as),
        TestColony.COLONY + "RevokeCertificate",
        RevokeCertificateRequest.newBuilder().setAgentId(agentId).setReason("lost").build(),
        RevokeCertificateResponse.parser());
  }

  private static void allowRebind(TestColony colony, String agentId) throws Exception {
    AllowRebindResponse allowed =
        colony.call(
            Optional.of(colony.administrator()),
            TestColony.CERTIFICATES + "AllowRebind",
            AllowRebindRequest.newBuilder().setAgentId(agentId).setReason("new disk").build(),
            AllowRebindResponse.parser());
    assertTrue(allowed.hasExpiresAt());
  }

  private static void refusedByTheHandshake(TestColony colony, Member member, WireGuardKey key) {
    RpcException refused =
        assertThrows(RpcException.class, () -> colony.register(member, key, "again"));
    assertEquals(RpcException.Reason.CERTIFICATE_REFUSED, refused.reason(), refused.getMessage());
  }

  private interface Call {
    Object run() throws Exception;
  }

  private static Failure failure(Call call) {
    return assertThrows(RpcException.class, call::run).failure();
  }
}
