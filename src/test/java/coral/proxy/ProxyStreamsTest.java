package coral.proxy;

import static coral.proxy.StandInColony.COLONY;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.ListAllocationsRequest;
import coral.api.colony.v1.WatchAgentsRequest;
import coral.testing.Eventually;
import io.netty.handler.codec.http2.Http2Error;
import java.net.Socket;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What happens to one request on its way: what is taken back, broken off, or never comes. */
@Timeout(60)
final class ProxyStreamsTest {
  private ProxyFixture fixture;
  private PlainColony plain;

  @BeforeEach
  void start() throws Exception {
    fixture = new ProxyFixture();
    plain = new PlainColony(fixture.colony.authority);
  }

  @AfterEach
  void stop() throws Exception {
    fixture.close();
    plain.close();
  }

  private int toPlain() throws Exception {
    fixture.proxy.connect(fixture.colony.upstream(plain.endpoint()));
    Eventually.holds(
        () ->
            assertEquals(
                200,
                RawHttp.status(port(), "GET / HTTP/1.1\nHost: localhost\nConnection: close\n\n")));
    plain.requests.clear();
    return port();
  }

  private int port() {
    return fixture.endpoint().port();
  }

  private Socket send(String text) throws Exception {
    Socket socket = new Socket(fixture.proxy.address().getAddress(), port());
    socket.setSoTimeout(15_000);
    socket.getOutputStream().write(text.replace("\n", "\r\n").getBytes(ISO_8859_1));
    return socket;
  }

  @Test
  void aStreamEndsAtTheColonyWhenItsCallerCancelsIt() {
    var stream =
        fixture
            .grpc()
            .watchAgents(WatchAgentsRequest.getDefaultInstance())
            .viaMat(KillSwitches.single(), Keep.right())
            .to(Sink.ignore())
            .run(fixture.colony.system);
    Eventually.holds(() -> assertEquals(1, fixture.colony.watching.get()));
    stream.shutdown();
    Eventually.holds(() -> assertEquals(0, fixture.colony.watching.get()));
    assertEquals(0, fixture.proxy.statistics().open());
  }

  @Test
  void aStreamEndsAtTheColonyWhenItsCallerOverHttp1IsGone() throws Exception {
    Socket socket =
        send(
            "POST /"
                + COLONY
                + "WatchAgents HTTP/1.1\nHost: localhost\nContent-Length: 5\n"
                + "Content-Type: application/grpc-web+proto\n\n\0\0\0\0\0");
    Eventually.holds(() -> assertEquals(1, fixture.colony.watching.get()));
    socket.close();
    Eventually.holds(() -> assertEquals(0, fixture.colony.watching.get()));
  }

  /** No answer has begun: the colony must be told all the same. */
  @Test
  void aCallIsTakenBackThatIsCancelledBeforeItsAnswer() throws Exception {
    toPlain();
    Socket socket = send("GET /never HTTP/1.1\nHost: localhost\n\n");
    assertEquals("/never", plain.requests.poll(10, TimeUnit.SECONDS));
    socket.close();
    assertEquals(Http2Error.CANCEL, plain.resets.poll(10, TimeUnit.SECONDS));

    var call =
        fixture
            .grpc()
            .listAllocations(ListAllocationsRequest.getDefaultInstance())
            .toCompletableFuture();
    assertFalse(call.isDone());
    Eventually.holds(() -> assertEquals(0, fixture.proxy.statistics().open()));
  }

  @Test
  void headersBodiesAndTrailersPassUnchangedAndWhatIsForTheNextHopDoesNot() throws Exception {
    String answer =
        RawHttp.exchange(
            toPlain(),
            """
            POST /echo HTTP/1.1
            Host: localhost:1
            X-Own: a, b
            X-Own-Too: ä
            Grpc-Timeout: 5S
            Connect-Timeout-Ms: 7
            Keep-Alive: 1
            TE: trailers, gzip
            Connection: close, x-hop
            X-Hop: no
            Proxy-Connection: x
            Upgrade: h2c
            Transfer-Encoding: chunked
            Trailer: x-late

            3
            abc
            4
            defg
            0
            X-Late: yes

            """);
    assertTrue(answer.startsWith("HTTP/1.1 200 OK\r\n"), answer);
    for (String line :
        new String[] {
          ":method=POST",
          ":path=/echo",
          ":scheme=https",
          ":authority=" + plain.endpoint(),
          "x-own=a, b",
          "x-own-too=",
          "grpc-timeout=5S",
          "connect-timeout-ms=7",
          "te=trailers",
          "trailer=x-late",
          "x-late=yes",
          "bytes=7",
          "coral-caller=viewer/local"
        }) {
      assertTrue(answer.contains(line), line + " in " + answer);
    }
    for (String gone :
        new String[] {
          "x-hop=", "keep-alive=", "proxy-connection=", "upgrade=", "transfer-encoding=", "\nhost="
        }) {
      assertFalse(answer.contains(gone), gone + " in " + answer);
    }
    assertTrue(answer.contains("x-answer: a, b"), answer);
    assertTrue(answer.toLowerCase(Locale.ROOT).endsWith("0\r\nx-trailer: t\r\n\r\n"), answer);
  }

  @Test
  void anAnswerThatTheColonyBreaksOffIsNotTakenForWhole() throws Exception {
    String answer = RawHttp.exchange(toPlain(), "GET /broken HTTP/1.1\nHost: localhost\n\n");
    assertTrue(answer.contains("half"), answer);
    assertFalse(answer.endsWith("0\r\n\r\n"), answer);
  }

  @Test
  void anAnswerBeforeTheEndOfItsRequestIsGivenAndTheConnectionGoesOn() throws Exception {
    toPlain();
    try (Socket socket =
        send("POST /early HTTP/1.1\nHost: localhost\nContent-Length: 100000\n\n")) {
      byte[] head = new byte[20];
      assertEquals(20, socket.getInputStream().readNBytes(head, 0, 20));
      assertTrue(new String(head, ISO_8859_1).startsWith("HTTP/1.1 413"));
      socket.getOutputStream().write(new byte[100_000]);
      socket
          .getOutputStream()
          .write(
              "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                  .getBytes(ISO_8859_1));
      String rest = new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
      assertTrue(rest.contains("HTTP/1.1 200 OK"), rest);
    }
    assertEquals(Http2Error.NO_ERROR, plain.resets.poll(10, TimeUnit.SECONDS));
  }

  @Test
  void requestsThatFollowOneAnotherWithoutWaitingAreAnsweredInTheirOrder() throws Exception {
    String answers =
        RawHttp.exchange(
            toPlain(),
            "POST /echo HTTP/1.1\nHost: localhost\nContent-Length: 1\nX-Number: 1\n\nx"
                + "GET /echo HTTP/1.1\nHost: localhost\nX-Number: 2\n\n"
                + "GET /other HTTP/1.1\nHost: localhost\n\n"
                + "GET /echo HTTP/1.1\nHost: localhost\nX-Number: 3\nConnection: close\n\n");
    int first = answers.indexOf("x-number=1");
    int second = answers.indexOf("x-number=2");
    int third = answers.indexOf("x-number=3");
    assertTrue(first > 0 && second > first && third > second, answers);
    assertEquals(5, answers.split("HTTP/1.1 200 OK", -1).length, answers);
  }

  @Test
  void whoWaitsToBeToldToGoOnIsTold() throws Exception {
    toPlain();
    try (Socket socket =
        send(
            """
            POST /echo HTTP/1.1
            Host: localhost
            Content-Length: 3
            Expect: 100-continue
            Connection: close

            """)) {
      byte[] head = new byte[25];
      assertEquals(25, socket.getInputStream().readNBytes(head, 0, 25));
      assertEquals("HTTP/1.1 100 Continue\r\n\r\n", new String(head, ISO_8859_1));
      socket.getOutputStream().write("abc".getBytes(ISO_8859_1));
      String answer = new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
      assertTrue(answer.contains("bytes=3"), answer);
    }
  }

  @Test
  void oldAndBodilessRequestsAreAnsweredAsTheyCanRead() throws Exception {
    int port = toPlain();
    String old = RawHttp.exchange(port, "GET /echo HTTP/1.0\nHost: localhost\n\n");
    assertFalse(old.toLowerCase(Locale.ROOT).contains("chunked"), old);
    assertTrue(old.contains("bytes=0"), old);
    String head = RawHttp.exchange(port, "HEAD / HTTP/1.1\nHost: localhost\nConnection: close\n\n");
    assertTrue(head.endsWith("\r\n\r\n"), head);
  }

  @Test
  void whatIsNoRequestOrTooLargeIsRefused() throws Exception {
    int port = toPlain();
    String end = "Host: localhost\nConnection: close\n\n";
    assertEquals(400, RawHttp.status(port, "GET / HTTP/1.1\nHost: localhost\nBad Name: x\n\n"));
    assertEquals(400, RawHttp.status(port, "CONNECT evil.example:443 HTTP/1.1\n" + end));
    assertEquals(
        431, RawHttp.status(port, "GET / HTTP/1.1\nX-Long: " + "x".repeat(40_000) + "\n" + end));
    assertEquals(414, RawHttp.status(port, "GET /" + "x".repeat(9_000) + " HTTP/1.1\n" + end));
    assertEquals(
        400,
        RawHttp.status(
            port,
            "POST /echo HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\nnothex\n\n"));
    assertEquals(0, RawHttp.status(port, "PRI * HTTP/2.0\n\nSM\n\nno frames of any kind here...."));
  }
}
