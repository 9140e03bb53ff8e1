package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Timestamp;
import coral.api.colony.v1.ListAuditRecordsRequest;
import coral.api.colony.v1.ListAuditRecordsResponse;
import coral.api.colony.v1.ListAuditRootsRequest;
import coral.api.colony.v1.ListAuditRootsResponse;
import coral.audit.AuditRecord;
import coral.audit.AuditRoot;
import coral.audit.AuditVerification;
import coral.files.Pem;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The whole audit log of a colony that runs, verified.
 *
 * @param signed records
 */
record AuditReport(long records, long signed, int roots) {
  /** What the log computes from the journals: each event once, and no two alike in this test. */
  private static final Set<String> JOURNALED =
      Set.of(
          "address-allocated",
          "certificate-issued",
          "certificate-revoked",
          "rebind-allowed",
          "wireguard-key-replaced");

  /** A change, as its record tells it: {@code words} are its request id or in its detail. */
  record Fact(String kind, String subject, String words) {}

  /** Reads all of it; it is what was recorded, and has all of these facts. */
  static AuditReport require(
      ColonyInstallation installation, Collection<Fact> facts, String message)
      throws IOException, RpcException {
    ConnectClient administrator = installation.administrator();
    AuditVerification verification =
        new AuditVerification(
            installation.files().colonyId(),
            Pem.certificates(Files.readAllBytes(installation.files().caCertificate())));
    List<AuditRoot> roots = roots(administrator);
    for (AuditRoot root : roots) {
      assertEquals(Optional.empty(), verification.add(root), () -> root + message);
    }
    Set<Fact> found = new HashSet<>();
    Set<List<String>> once = new HashSet<>();
    for (AuditRecord record : records(administrator)) {
      assertEquals(Optional.empty(), verification.add(record), () -> record + message);
      if (JOURNALED.contains(record.kind())) {
        assertTrue(
            once.add(List.of(record.kind(), record.subject(), record.detail())),
            () -> record + " is there twice" + message);
      }
      found.add(new Fact(record.kind(), record.subject(), record.requestId()));
      found.add(new Fact(record.kind(), record.subject(), lastWords(record.detail())));
      found.add(new Fact(record.kind(), record.subject(), ""));
    }
    assertEquals(Optional.empty(), verification.end(), () -> "the end" + message);
    Set<Fact> missing = new HashSet<>(facts);
    missing.removeAll(found);
    assertEquals(Set.of(), missing, () -> "acknowledged, and not in the log" + message);
    return new AuditReport(verification.chain().length(), verification.covered(), roots.size());
  }

  /** Where a reason stands. */
  private static String lastWords(String detail) {
    return detail.substring(detail.lastIndexOf(": ") + 1).strip();
  }

  private static List<AuditRoot> roots(ConnectClient administrator) throws RpcException {
    List<AuditRoot> roots = new ArrayList<>();
    ListAuditRootsResponse page;
    do {
      long after = roots.isEmpty() ? 0 : roots.get(roots.size() - 1).lastSequence();
      page =
          administrator.call(
              "coral.colony.v1.AuditService/ListAuditRoots",
              ListAuditRootsRequest.newBuilder().setAfterSequence(after).build(),
              ListAuditRootsResponse.parser());
      page.getRootsList().forEach(root -> roots.add(root(root)));
    } while (page.getRootsCount() > 0);
    return roots;
  }

  private static List<AuditRecord> records(ConnectClient administrator) throws RpcException {
    List<AuditRecord> records = new ArrayList<>();
    ListAuditRecordsResponse page;
    long after = 0;
    do {
      page =
          administrator.call(
              "coral.colony.v1.AuditService/ListAuditRecords",
              ListAuditRecordsRequest.newBuilder().setAfterSequence(after).build(),
              ListAuditRecordsResponse.parser());
      page.getRecordsList().forEach(record -> records.add(record(record)));
      after = page.getLastSequence();
    } while (page.getMore());
    return records;
  }

  private static AuditRoot root(coral.api.colony.v1.AuditRoot root) {
    return new AuditRoot(
        root.getFirstSequence(),
        root.getLastSequence(),
        HexFormat.of().formatHex(root.getRoot().toByteArray()),
        instant(root.getSignedAt()),
        Base64.getEncoder().encodeToString(root.getSignature().toByteArray()),
        root.getCertificate().toStringUtf8());
  }

  private static AuditRecord record(coral.api.colony.v1.AuditRecord record) {
    return new AuditRecord(
        record.getSequence(),
        instant(record.getTime()),
        record.getKind(),
        record.getActor(),
        record.getMeshAddress(),
        record.getSourceAddress(),
        record.getSubject(),
        record.getDetail(),
        record.getRequestId(),
        HexFormat.of().formatHex(record.getHash().toByteArray()));
  }

  private static Instant instant(Timestamp time) {
    return Instant.ofEpochSecond(time.getSeconds(), time.getNanos());
  }
}
