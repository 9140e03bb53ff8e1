package coral.colony;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.certificate.Authority;
import coral.certificate.CertificateProfile;
import coral.certificate.KeyType;
import coral.certificate.OcspResponder;
import coral.certificate.RevocationLists;
import coral.certificate.RevocationSource;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.testing.Eventually;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import javax.security.auth.x500.X500Principal;
import org.apache.pekko.actor.ActorSystem;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.OCSPReqBuilder;
import org.bouncycastle.operator.bc.BcDigestCalculatorProvider;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What strangers can ask for without end, and what it takes away from others: nothing. */
@Timeout(60)
class RevocationPortTest {
  private static final ColonyId COLONY = new ColonyId("shop-test-a1b2c3");
  private static final Instant NOW = Instant.parse("2026-05-01T10:00:00Z");
  private static final InstantSource CLOCK = InstantSource.fixed(NOW);
  private static final Executor AT_ONCE = Runnable::run;

  /** From one network; the port lets it ask fifty times in a row. */
  private static final int OF_ONE_SOURCE = 50;

  private static ActorSystem system;
  private static Authority authority;
  private static X509Certificate web;

  @BeforeAll
  static void start() {
    system =
        ActorSystem.create(
            "revocation-port", ConfigFactory.load("pekko").withFallback(ConfigFactory.load()));
    authority = Authority.create(COLONY, CLOCK, KeyType.P_256);
    web =
        authority.issue(
            CertificateProfile.agent(COLONY, new AgentId("web")),
            KeyType.P_256.generate().getPublic(),
            NOW,
            Duration.ofDays(1));
  }

  @AfterAll
  static void stop() throws Exception {
    system.terminate();
    system.getWhenTerminated().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  /** Everything that was issued is good. */
  private static final class AllGood implements RevocationSource {
    @Override
    public Status status(X500Principal issuer, BigInteger serial) {
      return new Status.Good();
    }

    @Override
    public List<Entry> revoked(X500Principal issuer) {
      return List.of();
    }

    @Override
    public long revision() {
      return 0;
    }
  }

  private static InetSocketAddress port(Executor signing) throws Exception {
    RevocationSource source = new AllGood();
    return new RevocationPort(
            authority,
            new RevocationLists(authority, source, CLOCK),
            new OcspResponder(authority, source, CLOCK),
            CLOCK,
            signing,
            AT_ONCE)
        .bind(system, "127.0.0.1", 0)
        .toCompletableFuture()
        .get(20, TimeUnit.SECONDS)
        .localAddress();
  }

  @Test
  void questionsThatWaitForASignatureAreBoundedAndNothingElseWaits() throws Exception {
    Queue<Runnable> work = new ConcurrentLinkedQueue<>();
    InetSocketAddress port = port(work::add);
    List<Socket> waiting = new ArrayList<>();
    try {
      for (int i = 0; i < RevocationPort.MAX_WAITING; i++) {
        waiting.add(ask(port, i, question(i)));
      }
      Eventually.holds(() -> assertEquals(RevocationPort.MAX_WAITING, work.size()));
      try (Socket oneMore = ask(port, RevocationPort.MAX_WAITING, question(-1))) {
        assertEquals(429, status(oneMore));
      }
      try (Socket list = get(port, "/crl.pem")) {
        assertEquals(200, status(list));
      }
      while (!work.isEmpty()) {
        work.remove().run();
      }
      for (Socket each : waiting) {
        assertEquals(200, status(each));
      }
      int next = RevocationPort.MAX_WAITING + 1;
      try (Socket after = ask(port, next, question(-2))) {
        Eventually.holds(() -> assertEquals(1, work.size()));
        work.remove().run();
        assertEquals(200, status(after));
      }
    } finally {
      for (Socket socket : waiting) {
        socket.close();
      }
    }
  }

  /** Without a nonce: no signature is wanted for the second, so no limit of signatures counts. */
  @Test
  void signaturesAreLimitedForAllSourcesTogetherAndReadyAnswersAreNot() throws Exception {
    InetSocketAddress port = port(AT_ONCE);
    byte[] plain = question(Optional.empty());
    int asked = 0;
    try (Socket first = ask(port, asked++, plain)) {
      assertEquals(200, status(first));
    }
    int refused = 0;
    while (refused == 0) {
      try (Socket next = ask(port, asked++, question(asked))) {
        int status = status(next);
        assertTrue(status == 200 || status == 429, "status " + status);
        refused = status == 429 ? asked : 0;
      }
    }
    assertEquals(RevocationPort.SIGNATURES_BURST + 1, refused);
    try (Socket ready = ask(port, asked++, plain)) {
      assertEquals(200, status(ready));
    }
    try (Socket signed = ask(port, asked++, question(-1))) {
      assertEquals(429, status(signed));
    }
  }

  @Test
  void aSourceThatAsksTooOftenIsRefusedAndOthersAreNot() throws Exception {
    InetSocketAddress port = port(AT_ONCE);
    byte[] plain = question(Optional.empty());
    for (int i = 0; i <= OF_ONE_SOURCE; i++) {
      try (Socket each = ask(port, 0, plain)) {
        assertEquals(i < OF_ONE_SOURCE ? 200 : 429, status(each), "question " + i);
      }
    }
    try (Socket other = ask(port, OF_ONE_SOURCE, plain)) {
      assertEquals(200, status(other));
    }
  }

  @Test
  void aQuestionThatIsTooLargeIsNeverTaken() throws Exception {
    try (Socket large = ask(port(AT_ONCE), 0, new byte[OcspResponder.MAX_REQUEST_BYTES + 1])) {
      assertEquals(413, status(large));
    }
  }

  private static byte[] question(int nonce) throws Exception {
    return question(
        Optional.of(BigInteger.valueOf((1L << 40) | (nonce & 0xffffffffL)).toByteArray()));
  }

  private static byte[] question(Optional<byte[]> nonce) throws Exception {
    OCSPReqBuilder builder =
        new OCSPReqBuilder()
            .addRequest(
                new CertificateID(
                    new BcDigestCalculatorProvider().get(CertificateID.HASH_SHA1),
                    new JcaX509CertificateHolder(authority.chain(web).get(1)),
                    web.getSerialNumber()));
    if (nonce.isPresent()) {
      builder.setRequestExtensions(
          new Extensions(
              new Extension(
                  OCSPObjectIdentifiers.id_pkix_ocsp_nonce,
                  false,
                  new DEROctetString(nonce.get()).getEncoded())));
    }
    return builder.build().getEncoded();
  }

  /** Asks from an address of its own for each fifty questions. */
  private static Socket ask(InetSocketAddress port, int number, byte[] question)
      throws IOException {
    Socket socket = new Socket();
    socket.bind(
        new InetSocketAddress(InetAddress.getByName("127.0.1." + (1 + number / OF_ONE_SOURCE)), 0));
    socket.connect(port);
    String head =
        "POST /ocsp HTTP/1.1\r\nHost: colony\r\nConnection: close\r\nContent-Type: "
            + OcspResponder.REQUEST_TYPE
            + "\r\nContent-Length: "
            + question.length
            + "\r\n\r\n";
    socket.getOutputStream().write(head.getBytes(US_ASCII));
    socket.getOutputStream().write(question);
    return socket;
  }

  private static Socket get(InetSocketAddress port, String path) throws IOException {
    Socket socket = new Socket(port.getAddress(), port.getPort());
    String head = "GET " + path + " HTTP/1.1\r\nHost: colony\r\nConnection: close\r\n\r\n";
    socket.getOutputStream().write(head.getBytes(US_ASCII));
    return socket;
  }

  private static int status(Socket socket) throws IOException {
    socket.setSoTimeout(20_000);
    String line = new String(socket.getInputStream().readNBytes(12), US_ASCII);
    assertTrue(line.startsWith("HTTP/1.1 "), line);
    return Integer.parseInt(line.substring(9));
  }
}
