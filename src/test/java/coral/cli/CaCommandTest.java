package coral.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import coral.api.colony.v1.Authority;
import coral.api.colony.v1.GetAuthorityStatusRequest;
import coral.api.colony.v1.GetAuthorityStatusResponse;
import coral.api.colony.v1.GetCACertificateRequest;
import coral.api.colony.v1.GetCACertificateResponse;
import coral.api.colony.v1.RevocationList;
import coral.api.colony.v1.RotateAuthorityRequest;
import coral.api.colony.v1.RotateAuthorityResponse;
import coral.files.Pem;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.rpc.TestAuthority;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Date;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The authority of a colony: its state, its rotation and what it gives to other programs. */
@Timeout(60)
class CaCommandTest {
  private static final String ROOT = "sha256:" + "1".repeat(64);
  private static final String NEXT_ROOT = "sha256:" + "2".repeat(64);
  private static final String AGENTS = "sha256:" + "3".repeat(64);

  private static final GetAuthorityStatusResponse PREPARED =
      GetAuthorityStatusResponse.newBuilder()
          .setRotation("prepared")
          .setTrustBundleVersion(2)
          .setAgents(14)
          .setAgentsWithBundle(12)
          .setAgentsOnActiveRoot(14)
          .setCrlNumber(17)
          .setRevokedCertificates(3)
          .addAuthorities(authority("root", "active", ROOT, false))
          .addAuthorities(authority("agent", "active", AGENTS, true))
          .addAuthorities(authority("root", "prepared", NEXT_ROOT, true))
          .build();

  private static final GetAuthorityStatusResponse DISTRIBUTED =
      PREPARED.toBuilder().setRotation("distributed").setAgentsWithBundle(14).build();

  @TempDir static Path home;
  private static ServedColony colony;
  private static X509Certificate root;
  private static X509Certificate nextRoot;
  private static byte[] crl;

  @BeforeAll
  static void serve() throws Exception {
    colony = new ServedColony(home);
    root = new TestAuthority("A root").root();
    nextRoot = new TestAuthority("Another root").root();
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(256);
    KeyPair keys = generator.generateKeyPair();
    crl =
        new X509v2CRLBuilder(
                new X500Name("CN=agents"), Date.from(Instant.parse("2030-01-02T03:04:05Z")))
            .build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate()))
            .getEncoded();
  }

  @AfterAll
  static void stop() throws Exception {
    colony.close();
  }

  @BeforeEach
  void forget() {
    colony.asked();
  }

  private static Authority authority(
      String kind, String state, String fingerprint, boolean online) {
    return Authority.newBuilder()
        .setKind(kind)
        .setState(state)
        .setSubject("CN=" + kind)
        .setFingerprint(fingerprint)
        .setExpiresAt(
            Timestamp.newBuilder()
                .setSeconds(Instant.parse("2035-05-06T00:00:00Z").getEpochSecond()))
        .setKeyOnline(online)
        .build();
  }

  private static void answersStatus(GetAuthorityStatusResponse status) {
    colony.answer("GetAuthorityStatus", GetAuthorityStatusRequest.class, request -> status);
  }

  private static void answersRotation(GetAuthorityStatusResponse status) {
    colony.answer(
        "RotateAuthority",
        RotateAuthorityRequest.class,
        request -> RotateAuthorityResponse.newBuilder().setStatus(status).build());
  }

  // --- status

  @Test
  void theStatusIsATableAndAPictureOfTheRotation() {
    answersStatus(PREPARED);
    Cli result = colony.coral("ca", "status");
    assertEquals(0, result.exitCode(), result.err());
    assertEquals(
        """
        KIND   STATE     KEY      EXPIRES     FINGERPRINT                 SUBJECT
        root   active    offline  2035-05-06  sha256:1111111111111111...  CN=root
        agent  active    online   2035-05-06  sha256:3333333333333333...  CN=agent
        root   prepared  online   2035-05-06  sha256:2222222222222222...  CN=root

        prepared > distributed > active > draining > retired
        ^ 12 of 14 agents trust bundle 2

        active root    14 of 14 agents have a certificate of it
        revoked        3 (list number 17)
        The next root is in the trust bundle and signs nothing. 'coral ca rotate' goes on when every\
         agent trusts it.
        """,
        result.out());
    assertEquals(
        "{\"rotation\":\"prepared\",\"trustBundleVersion\":2,\"agents\":14,"
            + "\"agentsWithBundle\":12,\"agentsOnActiveRoot\":14,\"crlNumber\":17,"
            + "\"revokedCertificates\":3,\"authorities\":[{\"kind\":\"root\","
            + "\"state\":\"active\",\"subject\":\"CN=root\",\"fingerprint\":\""
            + ROOT
            + "\",\"expiresAt\":\"2035-05-06T00:00:00Z\",\"keyOnline\":false},",
        colony.coral("ca", "status", "-o", "json").out().split("\\{\"kind\":\"agent\"", -1)[0]);
  }

  @Test
  void thePicturePointsAtEveryPhaseWithinATerminal() {
    String phases = "prepared > distributed > active > draining > retired\n";
    assertEquals(
        phases + "not under way: 14 of 14 agents trust bundle 2\n", rotation("stable").picture());
    assertEquals(
        phases + "           ^ 14 of 14 agents trust bundle 2\n",
        rotation("distributed").picture());
    assertEquals(
        phases + "                         ^ 14 of 14 agents trust bundle 2\n",
        rotation("active").picture());
    assertEquals(
        phases + "                                  ^ 3 of 14 agents have renewed\n",
        rotation("draining").picture());
    assertEquals(
        phases + "                                             ^ 14 of 14 agents trust bundle 2\n",
        rotation("retired").picture());
    Rotation large = new Rotation("retired", 12, 65_000, 64_999, 65_000);
    assertEquals(phases + "       64999 of 65000 agents trust bundle 12 ^\n", large.picture());
    assertEquals('r', phases.charAt(large.picture().lines().toList().get(1).indexOf('^')));
  }

  private static Rotation rotation(String phase) {
    return new Rotation(phase, 2, 14, 14, 3);
  }

  @Test
  void everyPhaseSaysWhatComesNext() {
    for (String phase :
        List.of("stable", "prepared", "distributed", "active", "draining", "retired")) {
      assertTrue(rotation(phase).next().contains("'coral ca rotate"), phase);
    }
    assertTrue(rotation("prepared").next().contains("Every agent trusts it"));
    assertFalse(rotation("draining").next().contains("None is left"));
    assertTrue(rotation("new\u001b").next().contains("'new?'"));
  }

  // --- rotate

  @Test
  void aStepIsTakenAndShown() {
    answersRotation(PREPARED);
    Cli result = colony.coral("ca", "rotate");
    assertEquals(0, result.exitCode(), result.err());
    assertTrue(
        result.out().startsWith("prepared > distributed > active > draining > retired\n^ 12 of 14"),
        result.out());
    assertTrue(
        colony.coral("ca", "rotate", "--back", "-o", "json").out().startsWith("{\"rotation\":"));
    assertEquals(0, colony.coral("ca", "rotate", "--force").exitCode());
    assertEquals(
        List.of(
            RotateAuthorityRequest.getDefaultInstance(),
            RotateAuthorityRequest.newBuilder().setStep(RotateAuthorityRequest.Step.BACK).build(),
            RotateAuthorityRequest.newBuilder().setForce(true).build()),
        colony.asked());
  }

  @Test
  void aStepThatAgentsHoldUpIsRefusedWithTheWaysOut() {
    colony.answer(
        "RotateAuthority",
        RotateAuthorityRequest.class,
        request -> {
          throw new RefusedException(Failure.FAILED_PRECONDITION, "2 of 14 agents are missing");
        });
    Cli result = colony.coral("ca", "rotate", "--watch");
    assertEquals(1, result.exitCode());
    assertTrue(result.err().contains("refuses: 2 of 14 agents are missing"), result.err());
    assertTrue(result.err().contains("'coral ca status --watch'"), result.err());
    assertTrue(result.err().contains("--force"), result.err());
  }

  @Test
  void forceGoesForwardOnly() {
    Cli result = colony.coral("ca", "rotate", "--back", "--force");
    assertEquals(2, result.exitCode());
    assertTrue(result.err().contains("leave out --back"), result.err());
    assertEquals(List.of(), colony.asked());
  }

  @Test
  void watchingEndsWhenNobodyIsMissing() {
    answersRotation(PREPARED);
    answersStatus(PREPARED.toBuilder().setAgentsWithBundle(14).build());
    Cli result = colony.coral("ca", "rotate", "--watch");
    assertEquals(0, result.exitCode(), result.err());
    assertEquals(
        """
        prepared: 12 of 14 agents trust bundle 2
        prepared: 14 of 14 agents trust bundle 2
        The next root is in the trust bundle and signs nothing. Every agent trusts it:\
         'coral ca rotate' goes on.
        """,
        result.out());
    answersStatus(DISTRIBUTED);
    assertEquals(
        "distributed: 14 of 14 agents trust bundle 2",
        colony.coral("ca", "status", "-w").out().lines().findFirst().orElseThrow());
  }

  private static GetAuthorityStatusResponse draining(int renewed) {
    return PREPARED.toBuilder().setRotation("draining").setAgentsOnActiveRoot(renewed).build();
  }

  private record Watched(int exitCode, String out) {}

  private static Watched watch(
      OutputFormat format, int width, Deque<Supplier<GetAuthorityStatusResponse>> answers) {
    StringWriter text = new StringWriter();
    PrintWriter out = new PrintWriter(text);
    int exitCode =
        new FleetWatch(out, format, width, Duration.ZERO)
            .until(draining(0), () -> answers.remove().get());
    assertTrue(answers.isEmpty(), "all answers were asked for");
    return new Watched(exitCode, text.toString());
  }

  private static Deque<Supplier<GetAuthorityStatusResponse>> answers() {
    Deque<Supplier<GetAuthorityStatusResponse>> answers = new ArrayDeque<>();
    answers.add(() -> draining(7));
    answers.add(
        () -> {
          throw new CommandFailedException("the colony is away", "");
        });
    answers.add(() -> draining(7));
    answers.add(() -> draining(14));
    return answers;
  }

  @Test
  void onATerminalTheFleetIsABar() {
    Watched watched = watch(OutputFormat.TABLE, 60, answers());
    assertEquals(0, watched.exitCode());
    String clear = "\u001b[K";
    // 60 columns less the text and what is around the bar
    int room = 60 - "draining: 0 of 14 agents have renewed".length() - 4;
    assertEquals(
        "\r["
            + "-".repeat(room)
            + "] draining: 0 of 14 agents have renewed"
            + clear
            + "\r["
            + "#".repeat(room / 2)
            + "-".repeat(room - room / 2)
            + "] draining: 7 of 14 agents have renewed"
            + clear
            + "\r["
            + "#".repeat(room - 1)
            + "] draining: 14 of 14 agents have renewed"
            + clear
            + "\n",
        watched.out().substring(0, watched.out().lastIndexOf("Agents renew")));
    assertTrue(
        watched.out().endsWith("'coral admin renew', then 'coral ca rotate' retires that root.\n"),
        watched.out());
  }

  @Test
  void aTerminalThatIsTooNarrowHasNoBar() {
    assertTrue(
        watch(OutputFormat.TABLE, 40, answers())
            .out()
            .startsWith("\rdraining: 0 of 14 agents have renewed\u001b[K"));
  }

  @Test
  void elsewhereEveryChangeIsALineAndAnAbsenceIsBorne() {
    Watched watched = watch(OutputFormat.TABLE, 0, answers());
    assertEquals(
        List.of(
            "draining: 0 of 14 agents have renewed",
            "draining: 7 of 14 agents have renewed",
            "draining: 14 of 14 agents have renewed"),
        watched.out().lines().limit(3).toList());
    assertEquals(
        List.of(0L, 7L, 14L),
        watch(OutputFormat.JSON, 60, answers())
            .out()
            .lines()
            .map(line -> Long.parseLong(line.replaceAll(".*OnActiveRoot\":(\\d+).*", "$1")))
            .toList());
  }

  @Test
  void aColonyThatStaysAwayEndsTheWatchingAndNothingElse() {
    FleetWatch watch =
        new FleetWatch(new PrintWriter(new StringWriter()), OutputFormat.TABLE, 0, Duration.ZERO);
    CommandFailedException failure =
        assertThrows(
            CommandFailedException.class,
            () ->
                watch.until(
                    draining(0),
                    () -> {
                      throw new CommandFailedException("the colony is away", "");
                    }));
    assertEquals("the colony is away (15 times)", failure.getMessage());
    assertTrue(failure.next().contains("'coral ca status --watch'"), failure.next());
  }

  // --- export

  private static void answersBundle(X509Certificate... roots) {
    colony.answer(
        "GetCACertificate",
        GetCACertificateRequest.class,
        request ->
            GetCACertificateResponse.newBuilder()
                .setCaCertificate(ByteString.copyFromUtf8(Pem.encode(List.of(roots))))
                .build());
  }

  private static void answersLists(RevocationList... lists) {
    colony.answer(
        "GetAuthorityStatus",
        GetAuthorityStatusRequest.class,
        request -> {
          assertTrue(request.getWithRevocationLists());
          return PREPARED.toBuilder().addAllRevocationLists(List.of(lists)).build();
        });
  }

  private static RevocationList list(String issuer) {
    return RevocationList.newBuilder()
        .setIssuerFingerprint(issuer)
        .setCrl(ByteString.copyFrom(crl))
        .build();
  }

  @Test
  void theBundleIsExportedToOutputOrAFile() throws Exception {
    answersBundle(root, nextRoot);
    Cli result = colony.coral("ca", "export");
    assertEquals(0, result.exitCode(), result.err());
    assertEquals(Pem.encode(List.of(root, nextRoot)), result.out());
    answersBundle(root);
    Path file = Files.writeString(home.resolve("ca.der"), "the former content");
    Cli der = colony.coral("ca", "export", "-o", "der", "--out", file.toString());
    assertEquals(0, der.exitCode(), der.err());
    assertEquals("", der.out());
    assertArrayEquals(root.getEncoded(), Files.readAllBytes(file));
    assertFalse(Files.exists(home.resolve("ca.der.new")));
  }

  @Test
  void revocationListsAreExportedAllOrOne() throws Exception {
    answersLists(list(ROOT), list(AGENTS));
    Cli all = colony.coral("ca", "export", "--crl");
    assertEquals(0, all.exitCode(), all.err());
    assertEquals(Pem.encode(Pem.REVOCATION_LIST, crl).repeat(2), all.out());
    assertEquals(
        Pem.encode(Pem.REVOCATION_LIST, crl),
        colony.coral("ca", "export", "--crl", "--issuer", "agent").out());
    Path file = home.resolve("agents.crl");
    String[] one = {"ca", "export", "--crl", "-o", "der", "--issuer", "agent", "--out"};
    assertEquals(0, colony.coral(with(one, file.toString())).exitCode());
    assertArrayEquals(crl, Files.readAllBytes(file));
  }

  private static String[] with(String[] arguments, String last) {
    String[] all = java.util.Arrays.copyOf(arguments, arguments.length + 1);
    all[arguments.length] = last;
    return all;
  }

  @Test
  void whatCannotBeExportedIsSaidAndNothingIsWritten() {
    Path file = home.resolve("nothing");
    String out = "--out=" + file;
    answersBundle(root, nextRoot);
    assertRefused("2 roots, and DER holds one", "ca", "export", "-o", "der", out);
    answersLists(list(ROOT), list(AGENTS));
    assertRefused("--issuer agent", "ca", "export", "--crl", "-o", "der", out);
    assertRefused(
        "no revocation list of an active 'server' authority",
        "ca",
        "export",
        "--crl",
        "--issuer",
        "server",
        out);
    answersLists();
    assertRefused("the colony has no revocation list", "ca", "export", "--crl", out);
    answersLists(list(ROOT).toBuilder().setCrl(ByteString.copyFromUtf8("no list")).build());
    assertRefused("its revocation list cannot be read", "ca", "export", "--crl", out);
    answersBundle();
    assertRefused("trust bundle cannot be read", "ca", "export", out);
    answersBundle(root);
    assertFalse(Files.exists(file));
    assertRefused("cannot be written", "ca", "export", "--out=" + file.resolve("below"));
  }

  private static void assertRefused(String message, String... arguments) {
    Cli result = colony.coral(arguments);
    assertEquals(1, result.exitCode(), result.out());
    assertEquals("", result.out());
    assertTrue(result.err().contains(message), result.err());
    assertFalse(result.err().contains("defect"), result.err());
  }

  @Test
  void optionsThatDoNotFitAreWrongUsage() {
    Cli terminal = colony.coral("ca", "export", "-o", "der");
    assertEquals(2, terminal.exitCode());
    assertTrue(terminal.err().contains("--out FILE"), terminal.err());
    Cli issuer = colony.coral("ca", "export", "--issuer", "agent");
    assertEquals(2, issuer.exitCode());
    assertTrue(issuer.err().contains("add --crl"), issuer.err());
    assertEquals(2, colony.coral("ca", "export", "-o", "json").exitCode());
    assertEquals(2, colony.coral("ca", "status", "-o", "pem").exitCode());
    assertEquals(2, colony.coral("ca").exitCode());
    assertEquals(List.of(), colony.asked());
  }
}
