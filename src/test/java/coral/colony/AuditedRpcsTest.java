package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import coral.api.colony.v1.AllowRebindRequest;
import coral.api.colony.v1.AllowRebindResponse;
import coral.api.colony.v1.AuditRecord;
import coral.api.colony.v1.CreateInvitationRequest;
import coral.api.colony.v1.CreateInvitationResponse;
import coral.api.colony.v1.ListAuditRecordsRequest;
import coral.api.colony.v1.ListAuditRecordsResponse;
import coral.api.colony.v1.ReserveAddressRequest;
import coral.api.colony.v1.ReserveAddressResponse;
import coral.api.colony.v1.RevokeCertificateRequest;
import coral.api.colony.v1.RevokeCertificateResponse;
import coral.api.colony.v1.RevokeInvitationRequest;
import coral.api.colony.v1.RevokeInvitationResponse;
import coral.api.colony.v1.RotateAuthorityRequest;
import coral.api.colony.v1.RotateAuthorityResponse;
import coral.api.colony.v1.RotateSecretRequest;
import coral.api.colony.v1.RotateSecretResponse;
import coral.colony.TestColony.Member;
import coral.rpc.ClientCertificate;
import coral.testing.Eventually;
import coral.wireguard.KeyPair;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whatever an rpc changes is in the audit, with who did it, from where and in which call. */
@Timeout(120)
class AuditedRpcsTest {
  /** They change nothing, or, like a session, only what a restart forgets. */
  private static final Set<String> READING =
      Set.of(
          "GetAuthorityStatus",
          "GetCACertificate",
          "GetCertificateStatus",
          "GetStatus",
          "GetTopology",
          "ListAgents",
          "ListAllocations",
          "ListAuditRecords",
          "ListAuditRoots",
          "ListCertificates",
          "ListInvitations",
          "PingAgent",
          "ServerReflectionInfo",
          "Session",
          "WatchAgents");

  /** What an rpc that changes something leaves, and how it is called. */
  private record Change(String kind, Call call) {}

  private interface Call {
    void run() throws Exception;
  }

  @TempDir Path directory;

  private static <T extends Message> T call(
      TestColony colony, String rpc, Message request, Parser<T> response) throws Exception {
    return colony.call(Optional.of(colony.administrator()), rpc, request, response);
  }

  private static Map<String, Change> changes(TestColony colony) {
    Map<String, Change> changes = new LinkedHashMap<>();
    Member[] agent = new Member[1];
    String[] invitation = new String[1];
    changes.put(
        "RequestCertificate",
        new Change("certificate-issued", () -> agent[0] = colony.bootstrap("a-1")));
    changes.put(
        "Register",
        new Change(
            "address-allocated",
            () -> colony.register(agent[0], KeyPair.generate().publicKey(), "join")));
    changes.put(
        "Deregister",
        new Change(
            "release-requested",
            () -> {
              ClientCertificate own = agent[0].certificate();
              colony.deregister(own, "a-1");
            }));
    changes.put(
        "ReserveAddress",
        new Change(
            "address-reserved",
            () ->
                call(
                    colony,
                    TestColony.COLONY + "ReserveAddress",
                    ReserveAddressRequest.newBuilder()
                        .setAgentId("late")
                        .setIpAddress("10.42.0.9")
                        .build(),
                    ReserveAddressResponse.parser())));
    changes.put(
        "CreateInvitation",
        new Change(
            "invitation-created",
            () ->
                invitation[0] =
                    call(
                            colony,
                            TestColony.INVITATIONS + "CreateInvitation",
                            CreateInvitationRequest.getDefaultInstance(),
                            CreateInvitationResponse.parser())
                        .getInvitation()
                        .getInvitationId()));
    changes.put(
        "RevokeInvitation",
        new Change(
            "invitation-revoked",
            () ->
                call(
                    colony,
                    TestColony.INVITATIONS + "RevokeInvitation",
                    RevokeInvitationRequest.newBuilder().setInvitationId(invitation[0]).build(),
                    RevokeInvitationResponse.parser())));
    changes.put(
        "RevokeCertificate",
        new Change(
            "certificate-revoked",
            () ->
                call(
                    colony,
                    TestColony.COLONY + "RevokeCertificate",
                    RevokeCertificateRequest.newBuilder()
                        .setAgentId("a-1")
                        .setReason("test")
                        .build(),
                    RevokeCertificateResponse.parser())));
    changes.put(
        "AllowRebind",
        new Change(
            "rebind-allowed",
            () ->
                call(
                    colony,
                    TestColony.CERTIFICATES + "AllowRebind",
                    AllowRebindRequest.newBuilder().setAgentId("a-1").setReason("test").build(),
                    AllowRebindResponse.parser())));
    changes.put(
        "RotateAuthority",
        new Change(
            "authority-changed",
            () ->
                call(
                    colony,
                    TestColony.CERTIFICATES + "RotateAuthority",
                    RotateAuthorityRequest.getDefaultInstance(),
                    RotateAuthorityResponse.parser())));
    changes.put(
        "RotateSecret",
        new Change(
            "secret-rotated",
            () ->
                call(
                    colony,
                    "coral.colony.v1.SecretService/RotateSecret",
                    RotateSecretRequest.getDefaultInstance(),
                    RotateSecretResponse.parser())));
    return changes;
  }

  @Test
  void everyRpcThatChangesSomethingLeavesARecordThatSaysAll() throws Exception {
    try (TestColony colony =
        TestColony.start(directory, Map.of("coral.colony.authority.key-type", "p-256"))) {
      Map<String, Change> changes = changes(colony);
      Set<String> known = new TreeSet<>(READING);
      known.addAll(changes.keySet());
      Set<String> served = new TreeSet<>();
      for (FileDescriptor file : ColonyAuthorizationTest.FILES) {
        file.getServices()
            .forEach(service -> service.getMethods().forEach(rpc -> served.add(rpc.getName())));
      }
      assertEquals(served, known, "say of each rpc whether it changes anything");

      for (Map.Entry<String, Change> each : changes.entrySet()) {
        long before =
            list(colony, ListAuditRecordsRequest.newBuilder().setPageSize(1_000)).getLastSequence();
        each.getValue().call().run();
        requireRecord(colony, each.getKey(), each.getValue().kind(), before);
      }
    }
  }

  private static ListAuditRecordsResponse list(
      TestColony colony, ListAuditRecordsRequest.Builder request) throws Exception {
    return call(
        colony,
        "coral.colony.v1.AuditService/ListAuditRecords",
        request.build(),
        ListAuditRecordsResponse.parser());
  }

  private static void requireRecord(TestColony colony, String rpc, String kind, long after)
      throws Exception {
    AuditRecord[] found = new AuditRecord[1];
    Eventually.holds(
        () -> {
          List<AuditRecord> records =
              list(
                      colony,
                      ListAuditRecordsRequest.newBuilder().setKind(kind).setAfterSequence(after))
                  .getRecordsList();
          assertFalse(records.isEmpty(), () -> rpc + " leaves no record of " + kind);
          found[0] = records.get(0);
        });
    AuditRecord record = found[0];
    assertTrue(record.hasTime(), rpc);
    assertFalse(record.getActor().isEmpty(), rpc);
    assertEquals("127.0.0.1", record.getSourceAddress(), rpc);
    assertFalse((record.getSubject() + record.getDetail()).isEmpty(), rpc);
    assertFalse(record.getRequestId().isEmpty(), rpc);
    boolean holdsAnAddress = rpc.equals("Register") || rpc.equals("Deregister");
    assertEquals(holdsAnAddress ? "10.42.0.2" : "", record.getMeshAddress(), rpc);
  }
}
