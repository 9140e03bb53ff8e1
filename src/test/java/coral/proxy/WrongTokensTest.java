package coral.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.Failure;
import coral.model.IpPrefix;
import coral.rpc.CallerIdentity;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import coral.rpc.RateLimit;
import coral.rpc.RateLimitedException;
import coral.rpc.Role;
import coral.rpc.ServerTls;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Access tokens that are not the proxy's, one after the other. */
@Timeout(60)
final class WrongTokensTest {
  private static final String TOKEN = "0123456789abcdef0123456789abcdef";
  private static final InetAddress SOMEBODY = IpPrefix.parseAddress("192.0.2.1");

  private volatile Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private final WrongTokens wrong = new WrongTokens(() -> now);

  private void fail(InetAddress from, int times) {
    for (int i = 0; i < times; i++) {
      wrong.require(from);
      wrong.count(from);
    }
  }

  private Duration refused(InetAddress from) {
    RateLimitedException refusal =
        assertThrows(RateLimitedException.class, () -> wrong.require(from));
    assertEquals(Failure.LIMIT_REACHED, refusal.refused().failure());
    return refusal.delay();
  }

  @Test
  void aBurstIsAllowedThenOneInEachInterval() {
    fail(SOMEBODY, WrongTokens.BURST);
    assertEquals(WrongTokens.INTERVAL, refused(SOMEBODY));
    wrong.require(IpPrefix.parseAddress("192.0.2.2"));
    now = now.plus(WrongTokens.INTERVAL).minusMillis(1);
    assertEquals(Duration.ofMillis(1), refused(SOMEBODY));
    now = now.plusMillis(1);
    fail(SOMEBODY, 1);
    refused(SOMEBODY);
  }

  @Test
  void theAddressesOfOneIpv6NetworkAreOne() {
    for (int i = 0; i < WrongTokens.BURST; i++) {
      fail(IpPrefix.parseAddress("2001:db8::" + i), 1);
    }
    refused(IpPrefix.parseAddress("2001:db8::ffff"));
    wrong.require(IpPrefix.parseAddress("2001:db8:0:1::1"));
  }

  @Test
  void noMorePlacesAreRememberedThanTheLimitOfAllRates() {
    for (int i = 0; i < RateLimit.MAX_KEYS + 100; i++) {
      fail(IpPrefix.parseAddress("10.0." + i / 256 + "." + i % 256), 1);
    }
    assertEquals(RateLimit.MAX_KEYS, wrong.size());
  }

  @Test
  void whoShowsTooManyWrongOnesIsToldToWaitInItsProtocolAndNobodyElseIs() throws Exception {
    try (ProxyFixture fixture = remote()) {
      SSLContext tls =
          ClientTls.pinned(
              fixture.colony.authority.fingerprint(),
              "spiffe://" + StandInColony.ID + "/colony",
              Optional.empty());
      for (int i = 0; i < 2 * WrongTokens.BURST; i++) {
        assertStatus(200, ask(fixture, tls, "127.0.0.2", "application/json", TOKEN));
        assertStatus(401, ask(fixture, tls, "127.0.0.2", "application/json", ""));
      }
      for (int i = 0; i < WrongTokens.BURST; i++) {
        assertStatus(401, ask(fixture, tls, "127.0.0.2", "application/json", "wrong-" + i));
      }
      String unary = ask(fixture, tls, "127.0.0.2", "application/json", "wrong");
      assertStatus(429, unary);
      assertTrue(unary.contains("retry-after: 6\r\n"), unary);
      assertTrue(unary.contains("\"code\":\"resource_exhausted\""), unary);
      String grpc = ask(fixture, tls, "127.0.0.2", "application/grpc", "wrong");
      assertStatus(200, grpc);
      assertTrue(grpc.contains("grpc-status: 8\r\n"), grpc);
      assertTrue(grpc.contains("retry-after: 6\r\n"), grpc);
      // Were it let pass, guessing would go on and only the answers to wrong ones would be late.
      assertStatus(429, ask(fixture, tls, "127.0.0.2", "application/json", TOKEN));

      assertStatus(200, ask(fixture, tls, "127.0.0.3", "application/json", TOKEN));
      now = now.plus(WrongTokens.INTERVAL);
      assertStatus(200, ask(fixture, tls, "127.0.0.2", "application/json", TOKEN));
    }
  }

  private ProxyFixture remote() throws Exception {
    StandInColony colony = new StandInColony();
    ClientCertificate own = colony.authority.server(StandInColony.ID);
    CallerRoots roots = new CallerRoots();
    ProxyFixture fixture =
        new ProxyFixture(
            colony,
            new ProxyListener(
                new InetSocketAddress(IpPrefix.parseAddress("127.0.0.1"), 0),
                Optional.of(
                    new ProxyListener.Remote(
                        ServerTls.trusting(own.key(), own.chain(), roots, certificate -> true),
                        roots,
                        CallerIdentity.none(),
                        Optional.of(AccessToken.of(TOKEN, Role.VIEWER, "pipeline")))),
                Set.of()),
            ProxyLimits.DEFAULT,
            ProxyFixture.RESOLVER,
            () -> now);
    fixture.connect(colony.endpoint());
    return fixture;
  }

  private static void assertStatus(int expected, String answer) {
    assertTrue(answer.startsWith("HTTP/1.1 " + expected + " "), answer);
  }

  /** Asks from an address of this host. */
  private static String ask(
      ProxyFixture fixture, SSLContext tls, String from, String type, String token)
      throws Exception {
    try (Socket plain = new Socket()) {
      plain.setSoTimeout(20_000);
      plain.bind(new InetSocketAddress(IpPrefix.parseAddress(from), 0));
      plain.connect(fixture.proxy.address());
      try (Socket socket = tls.getSocketFactory().createSocket(plain, "localhost", 1, true)) {
        String authorization = token.isEmpty() ? "" : "Authorization: Bearer " + token + "\r\n";
        socket
            .getOutputStream()
            .write(
                ("POST /"
                        + StandInColony.COLONY
                        + "GetStatus HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                        + "Content-Type: "
                        + type
                        + "\r\nContent-Length: 2\r\n"
                        + authorization
                        + "\r\n{}")
                    .getBytes(ISO_8859_1));
        return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
      }
    }
  }
}
