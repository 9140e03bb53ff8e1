package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.AuditRecord;
import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.GetStatusResponse;
import coral.api.colony.v1.ListAuditRecordsRequest;
import coral.api.colony.v1.ListAuditRecordsResponse;
import coral.certificate.Authority;
import coral.certificate.Identity;
import coral.rpc.ClientCertificate;
import coral.rpc.RpcException;
import coral.testing.Eventually;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code coral admin renew}: the administrator's certificate ends as those of agents do. */
@Timeout(120)
class AdministratorRenewalTest {
  @TempDir Path directory;

  @Test
  void theFormerCertificateEndsWhenTheNewOneIsFirstUsedAndTheAuditTellsOfIt() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      ClientCertificate first = colony.administrator();
      status(colony, first);
      ClientCertificate second = renewed(colony);
      status(colony, first); // nobody has used the second, and who renews may lose it
      ClientCertificate third = renewed(colony);
      status(colony, third);
      for (ClientCertificate former : List.of(first, second)) {
        Eventually.holds(() -> assertRefused(colony, former));
      }
      colony.restart();
      for (ClientCertificate former : List.of(first, second)) {
        assertRefused(colony, former);
      }
      status(colony, third);

      List<AuditRecord> renewals = audited(colony, third, "certificate-renewed");
      assertEquals(1, renewals.size(), "once, whatever is started again");
      assertEquals("admin/admin", renewals.get(0).getActor());
      for (ClientCertificate named : List.of(first, second, third)) {
        assertTrue(renewals.get(0).getDetail().contains(serial(named)), renewals.toString());
      }
      List<AuditRecord> ends = audited(colony, third, "certificate-revoked");
      assertEquals(2, ends.size());
      for (AuditRecord end : ends) {
        assertTrue(end.getDetail().endsWith("superseded by " + serial(third)), end.getDetail());
      }
    }
  }

  /** Two renewals a year apart: what has ended by itself needs no end. */
  @Test
  void aCertificateThatHasEndedByItselfIsForgotten() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      AdministratorFiles files = new ColonyFiles(colony.home()).administrator();
      Authority authority = Authority.load(colony.home());
      var now = InstantSource.system().instant();
      files.renew(authority, now);
      assertEquals(1, files.renewal().orElseThrow().former().size());
      Identity next = files.renew(authority, now.plus(Duration.ofDays(364)));
      assertEquals(2, files.renewal().orElseThrow().former().size());
      files.renew(authority, now.plus(Duration.ofDays(500)));
      assertEquals(
          List.of(Protobuf.serial(next.certificate())),
          files.renewal().orElseThrow().former().stream()
              .map(AdministratorFiles.Former::serial)
              .toList());
    }
  }

  private static ClientCertificate renewed(TestColony colony) throws IOException {
    Identity renewed =
        new ColonyFiles(colony.home())
            .administrator()
            .renew(Authority.load(colony.home()), InstantSource.system().instant());
    return new ClientCertificate(renewed.key(), renewed.chain());
  }

  private static String serial(ClientCertificate certificate) {
    return Protobuf.serial(certificate.chain().get(0));
  }

  private static void status(TestColony colony, ClientCertificate as) throws RpcException {
    colony.call(
        Optional.of(as),
        TestColony.COLONY + "GetStatus",
        GetStatusRequest.getDefaultInstance(),
        GetStatusResponse.parser());
  }

  private static void assertRefused(TestColony colony, ClientCertificate former) {
    RpcException refused = assertThrows(RpcException.class, () -> status(colony, former));
    assertEquals(RpcException.Reason.CERTIFICATE_REFUSED, refused.reason(), refused.getMessage());
  }

  private static List<AuditRecord> audited(TestColony colony, ClientCertificate as, String kind)
      throws RpcException {
    return colony
        .call(
            Optional.of(as),
            "coral.colony.v1.AuditService/ListAuditRecords",
            ListAuditRecordsRequest.newBuilder()
                .setKind(kind)
                .setWait(com.google.protobuf.Duration.newBuilder().setSeconds(15))
                .build(),
            ListAuditRecordsResponse.parser())
        .getRecordsList();
  }
}
