package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import coral.api.colony.v1.Certificate;
import coral.api.colony.v1.GetCertificateStatusRequest;
import coral.api.colony.v1.GetCertificateStatusResponse;
import coral.api.colony.v1.ListCertificatesRequest;
import coral.api.colony.v1.ListCertificatesResponse;
import coral.files.Pem;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.rpc.TestAuthority;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a colony has issued, against its port. */
@Timeout(60)
class CertificatesCommandTest {
  private static final Instant NOW = Instant.parse("2030-01-02T03:04:05Z");
  private static final String SERIAL = "697307ca00872bd28e841f3ab185170e";

  private static final Certificate CURRENT =
      Certificate.newBuilder()
          .setSerialNumber(SERIAL)
          .setAgentId("web-1")
          .setRole("agent")
          .setIssuedAt(seconds("2030-01-01T03:04:05Z"))
          .setExpiresAt(seconds("2030-04-01T03:04:05Z"))
          .setStatus("current")
          .setFingerprint("sha256:53e45c95")
          .setIssuer("CN=Coral agents 1")
          .build();

  private static final Certificate REVOKED =
      CURRENT.toBuilder()
          .setSerialNumber("5b9a5c4dc8045e33260b75dc16a70eea")
          .setStatus("revoked")
          .setExpiresAt(seconds("2029-12-31T03:04:05Z"))
          .setRevokedAt(seconds("2029-12-30T03:04:05Z"))
          .setRevocationReason("host\nstolen")
          .build();

  private static final String CURRENT_JSON =
      "\"serialNumber\":\"697307ca00872bd28e841f3ab185170e\",\"agentId\":\"web-1\","
          + "\"role\":\"agent\",\"status\":\"current\",\"issuedAt\":\"2030-01-01T03:04:05Z\","
          + "\"expiresAt\":\"2030-04-01T03:04:05Z\",\"revokedAt\":null,"
          + "\"revocationReason\":null,\"fingerprint\":\"sha256:53e45c95\","
          + "\"issuer\":\"CN=Coral agents 1\"";

  @TempDir static Path home;
  private static ServedColony colony;
  private static String pem;

  @BeforeAll
  static void serve() throws Exception {
    colony = new ServedColony(home);
    pem = Pem.encode(new TestAuthority("A root").root());
  }

  @AfterAll
  static void stop() throws Exception {
    colony.close();
  }

  @BeforeEach
  void forget() {
    colony.asked();
  }

  private static Timestamp seconds(String time) {
    return Timestamp.newBuilder().setSeconds(Instant.parse(time).getEpochSecond()).build();
  }

  @Test
  void theTableFitsATerminal() {
    String table = CertificatesListCommand.table(List.of(CURRENT, REVOKED), NOW, Screen.PLAIN);
    assertEquals(
        """
        SERIAL NUMBER                     AGENT  ROLE   STATUS   EXPIRES
        697307ca00872bd28e841f3ab185170e  web-1  agent  current  in 89 d
        5b9a5c4dc8045e33260b75dc16a70eea  web-1  agent  revoked  2 d ago
        """,
        table);
    assertEquals("No certificates.\n", CertificatesListCommand.table(List.of(), NOW, Screen.PLAIN));
  }

  @Test
  void everyPageIsAskedForAndTheAgentOnEach() {
    colony.answer(
        "ListCertificates",
        ListCertificatesRequest.class,
        request ->
            request.getPageToken().isEmpty()
                ? ListCertificatesResponse.newBuilder()
                    .addCertificates(CURRENT)
                    .setNextPageToken("2")
                    .build()
                : ListCertificatesResponse.newBuilder().addCertificates(REVOKED).build());
    Cli table = colony.coral("certificates", "list", "--agent", "web-1");
    assertEquals(0, table.exitCode(), table.err());
    assertEquals(3, table.out().lines().count(), table.out());
    assertEquals(
        List.of("web-1", "web-1 2"),
        colony.asked().stream()
            .map(ListCertificatesRequest.class::cast)
            .map(request -> (request.getAgentId() + " " + request.getPageToken()).strip())
            .collect(Collectors.toList()));
    String json = colony.coral("certificates", "list", "-o", "json").out();
    assertTrue(json.startsWith("{\"certificates\":[{" + CURRENT_JSON + "},{"), json);
    assertTrue(
        json.endsWith(
            "\"revokedAt\":\"2029-12-30T03:04:05Z\",\"revocationReason\":\"host\\nstolen\","
                + "\"fingerprint\":\"sha256:53e45c95\",\"issuer\":\"CN=Coral agents 1\"}]}\n"),
        json);
  }

  private static void shows(Certificate certificate, String text) {
    colony.answer(
        "GetCertificateStatus",
        GetCertificateStatusRequest.class,
        request ->
            GetCertificateStatusResponse.newBuilder()
                .setCertificate(certificate)
                .setPem(ByteString.copyFromUtf8(text))
                .build());
  }

  @Test
  void oneCertificateIsShownInThreeForms() {
    shows(CURRENT, pem);
    Cli text = colony.coral("certificates", "show", SERIAL);
    assertEquals(0, text.exitCode(), text.err());
    assertEquals("serial number  " + SERIAL, text.out().lines().findFirst().orElseThrow());
    assertEquals(pem, colony.coral("certificates", "show", SERIAL, "-o", "pem").out());
    String json = colony.coral("certificates", "show", SERIAL, "-o", "json").out();
    assertEquals("{" + CURRENT_JSON + ",\"pem\":\"" + pem.replace("\n", "\\n") + "\"}\n", json);
  }

  @Test
  void aNumberIsReadAsOpensslPrintsIt() {
    shows(CURRENT, pem);
    colony.coral("certificates", "show", "69:73:07:CA:00:87:2B:D2:8E:84:1F:3A:B1:85:17:0E");
    assertEquals(
        List.of(GetCertificateStatusRequest.newBuilder().setSerialNumber(SERIAL).build()),
        colony.asked());
  }

  @Test
  void whyACertificateWasRevokedIsShownOnOneLine() {
    assertEquals(
        """
        serial number  5b9a5c4dc8045e33260b75dc16a70eea
        agent          web-1
        role           agent
        status         revoked
        issued         2030-01-01 03:04 UTC (1 d ago)
        expires        2029-12-31 03:04 UTC (2 d ago)
        revoked        2029-12-30 03:04 UTC (3 d ago)
        because        host?stolen
        fingerprint    sha256:53e45c95
        issuer         CN=Coral agents 1
        """,
        CertificatesShowCommand.text(REVOKED, NOW));
  }

  @Test
  void whatCannotBeShownIsAFailureThatSaysWhatToDo() {
    shows(CURRENT, "");
    Cli without = colony.coral("certificates", "show", SERIAL, "-o", "pem");
    assertEquals(1, without.exitCode());
    assertTrue(without.err().contains("does not keep the text"), without.err());
    assertTrue(without.err().contains("Without -o pem"), without.err());
    assertTrue(
        colony
            .coral("certificates", "show", SERIAL, "-o", "json")
            .out()
            .endsWith("\"pem\":null}\n"));
    shows(CURRENT, "\u001b[2J");
    Cli broken = colony.coral("certificates", "show", SERIAL, "-o", "pem");
    assertEquals(1, broken.exitCode());
    assertTrue(broken.err().contains("is no certificate"), broken.err());
    colony.answer(
        "GetCertificateStatus",
        GetCertificateStatusRequest.class,
        request -> {
          throw new RefusedException(Failure.NOT_FOUND, "no such certificate");
        });
    Cli unknown = colony.coral("certificates", "show", "0a");
    assertEquals(1, unknown.exitCode());
    assertTrue(unknown.err().contains("refuses: no such certificate"), unknown.err());
    assertTrue(unknown.err().contains("'coral certificates list'"), unknown.err());
  }

  @Test
  void aNumberThatIsNoneIsWrongUsage() {
    for (String wrong : List.of("xyz", "0".repeat(41), ":")) {
      Cli result = colony.coral("certificates", "show", wrong);
      assertEquals(2, result.exitCode(), result.err());
      assertTrue(result.err().contains("up to 40 hexadecimal digits"), result.err());
    }
    Cli format = colony.coral("certificates", "show", SERIAL, "-o", "der");
    assertEquals(2, format.exitCode());
    assertTrue(format.err().contains("expected table, json, yaml or pem, not 'der'"), format.err());
    assertEquals(2, colony.coral("certificates").exitCode());
    assertEquals(List.of(), colony.asked());
  }
}
