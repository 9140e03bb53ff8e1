package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Duration;
import coral.api.colony.v1.AuditRecord;
import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.GetStatusResponse;
import coral.api.colony.v1.ListAuditRecordsRequest;
import coral.api.colony.v1.ListAuditRecordsResponse;
import coral.api.colony.v1.RevokeCertificateRequest;
import coral.api.colony.v1.RevokeCertificateResponse;
import coral.certificate.Authority;
import coral.certificate.CertificateProfile;
import coral.certificate.KeyType;
import coral.colony.TestColony.Member;
import coral.model.Failure;
import coral.rpc.ClientCertificate;
import coral.rpc.RpcException;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/**
 * One certificate is ended by its number: an administrator of {@code init} is not in the journal,
 * and its number is all that the colony can go by.
 */
@Timeout(120)
class SerialRevocationTest {
  @TempDir Path directory;

  @Test
  void aStolenCertificateOfAnAdministratorIsRefusedFromThenOnAndTheAuditTellsOfIt()
      throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      ClientCertificate stolen = colony.administrator();
      ClientCertificate renewed = renewedAdministrator(colony);
      String serial = Protobuf.serial(stolen.chain().get(0));
      status(colony, stolen);
      RevokeCertificateResponse revoked =
          revoke(colony, renewed, "", serial.toUpperCase(Locale.ROOT));
      assertTrue(revoked.getSuccess());
      assertEquals(List.of(serial), revoked.getSerialNumbersList());
      assertRefusedByTheHandshake(() -> status(colony, stolen));
      colony.restart();
      assertRefusedByTheHandshake(() -> status(colony, stolen));
      status(colony, renewed);
      AuditRecord record = revocation(colony, renewed);
      assertEquals("admin/admin", record.getActor());
      assertEquals("serial " + serial + ": key stolen", record.getDetail());
    }
  }

  /** A call that is under way is not asked again who it is: its connection has to go. */
  @Test
  void whatARevokedAdministratorHasOpenEndsAndNobodyElses() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      ClientCertificate stolen = colony.administrator();
      ClientCertificate renewed = renewedAdministrator(colony);
      try (SSLSocket open = called(colony, stolen);
          SSLSocket other = called(colony, renewed)) {
        revoke(colony, renewed, "", Protobuf.serial(stolen.chain().get(0)));
        assertTrue(ends(open, 10_000));
        assertFalse(ends(other, 100));
      }
    }
  }

  @Test
  void onlyAnAdministratorRevokesByNumberAndWhatIsAmbiguousChangesNothing() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      ClientCertificate administrator = colony.administrator();
      ClientCertificate operator = colony.bootstrap("ops", "operator").certificate();
      String serial = Protobuf.serial(administrator.chain().get(0));
      assertFails(Failure.PERMISSION_DENIED, () -> revoke(colony, operator, "", serial));
      assertFails(Failure.INVALID_ARGUMENT, () -> revoke(colony, administrator, "ops", serial));
      assertFails(Failure.INVALID_ARGUMENT, () -> revoke(colony, administrator, "", ""));
      for (String wrong : List.of("0a", serial + "00", serial.substring(1) + "g")) {
        assertFails(Failure.INVALID_ARGUMENT, () -> revoke(colony, administrator, "", wrong));
      }
      status(colony, administrator);
      status(colony, operator);
    }
  }

  /** Whoever has mistyped a number must not believe that the stolen certificate has ended. */
  @Test
  void aNumberThatNobodyKnowsIsNotFoundAndChangesNothing() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      ClientCertificate administrator = colony.administrator();
      String serial = Protobuf.serial(administrator.chain().get(0));
      String mistyped = serial.substring(0, 31) + (serial.endsWith("0") ? "1" : "0");
      assertFails(Failure.NOT_FOUND, () -> revoke(colony, administrator, "", mistyped));
      assertFails(Failure.NOT_FOUND, () -> revoke(colony, administrator, "", mistyped));
      status(colony, administrator);

      // Made elsewhere with the authority's keys: known as soon as it is shown.
      ClientCertificate other = renewedAdministrator(colony);
      String others = Protobuf.serial(other.chain().get(0));
      assertFails(Failure.NOT_FOUND, () -> revoke(colony, administrator, "", others));
      status(colony, other);
      assertTrue(revoke(colony, administrator, "", others).getSuccess());
      assertRefusedByTheHandshake(() -> status(colony, other));
      assertTrue(revoke(colony, administrator, "", others).getSuccess(), "again");
      colony.restart();
      assertTrue(revoke(colony, administrator, "", others).getSuccess(), "after a restart");
    }
  }

  @Test
  void theNumberOfAMembersCertificateEndsItsIdentity() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      Member operator = colony.bootstrap("ops", "operator");
      String serial = Protobuf.serial(operator.certificate().chain().get(0));
      status(colony, operator.certificate());
      RevokeCertificateResponse revoked = revoke(colony, colony.administrator(), "", serial);
      assertEquals("the identity 'ops' was revoked", revoked.getMessage());
      assertEquals(List.of(serial), revoked.getSerialNumbersList());
      assertRefusedByTheHandshake(() -> status(colony, operator.certificate()));
    }
  }

  /** As {@code coral admin renew} makes it. */
  private static ClientCertificate renewedAdministrator(TestColony colony) throws IOException {
    Authority own = Authority.load(colony.home());
    KeyPair keys = KeyType.P_256.generate();
    return new ClientCertificate(
        keys.getPrivate(),
        own.chain(
            own.issue(
                CertificateProfile.administrator(own.colonyId(), "admin"),
                keys.getPublic(),
                InstantSource.system().instant(),
                java.time.Duration.ofDays(1))));
  }

  private static RevokeCertificateResponse revoke(
      TestColony colony, ClientCertificate as, String agentId, String serial) throws RpcException {
    return colony.call(
        Optional.of(as),
        TestColony.COLONY + "RevokeCertificate",
        RevokeCertificateRequest.newBuilder()
            .setAgentId(agentId)
            .setSerialNumber(serial)
            .setReason("key stolen")
            .build(),
        RevokeCertificateResponse.parser());
  }

  private static GetStatusResponse status(TestColony colony, ClientCertificate as)
      throws RpcException {
    return colony.call(
        Optional.of(as),
        TestColony.COLONY + "GetStatus",
        GetStatusRequest.getDefaultInstance(),
        GetStatusResponse.parser());
  }

  private static AuditRecord revocation(TestColony colony, ClientCertificate as)
      throws RpcException {
    return colony
        .call(
            Optional.of(as),
            "coral.colony.v1.AuditService/ListAuditRecords",
            ListAuditRecordsRequest.newBuilder()
                .setKind("certificate-revoked")
                .setWait(Duration.newBuilder().setSeconds(15))
                .build(),
            ListAuditRecordsResponse.parser())
        .getRecords(0);
  }

  /** A connection on which a call was answered, and which was kept open. */
  private static SSLSocket called(TestColony colony, ClientCertificate as) throws IOException {
    SSLSocket socket =
        (SSLSocket)
            colony
                .tls(Optional.of(as))
                .getSocketFactory()
                .createSocket(colony.endpoint().host(), colony.endpoint().port());
    socket.setSoTimeout(10_000);
    String head =
        "POST /"
            + TestColony.COLONY
            + "GetStatus HTTP/1.1\r\nHost: colony\r\nContent-Type: application/proto\r\n"
            + "Connect-Protocol-Version: 1\r\nContent-Length: 0\r\n\r\n";
    socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
    String answer = line(socket.getInputStream());
    assertTrue(answer.startsWith("HTTP/1.1 200"), answer);
    int length = 0;
    for (String header = line(socket.getInputStream());
        !header.isEmpty();
        header = line(socket.getInputStream())) {
      if (header.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
        length = Integer.parseInt(header.substring(header.indexOf(':') + 1).strip());
      }
    }
    assertEquals(length, socket.getInputStream().readNBytes(length).length);
    return socket;
  }

  private static boolean ends(SSLSocket connection, int withinMillis) throws IOException {
    connection.setSoTimeout(withinMillis);
    try {
      return connection.getInputStream().read() < 0;
    } catch (SocketTimeoutException e) {
      return false;
    } catch (SocketException | SSLException e) {
      return true; // a reset
    }
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      assertTrue(next >= 0, "the connection has ended");
      line.append((char) next);
    }
    return line.toString().strip();
  }

  private static void assertRefusedByTheHandshake(Executable call) {
    RpcException refused = assertThrows(RpcException.class, call);
    assertEquals(RpcException.Reason.CERTIFICATE_REFUSED, refused.reason(), refused.getMessage());
  }

  private static void assertFails(Failure failure, Executable call) {
    assertEquals(failure, assertThrows(RpcException.class, call).failure());
  }
}
