package coral.rpc;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.testing.Openssl;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * Renegotiation lets a client have the server's key work for it again and again on one connection
 * (CVE-2011-1473), and mixed two identities on one (RFC 5746). TLS 1.3 has none (RFC 8446, section
 * 4.1.2), and no older version is spoken.
 */
final class RenegotiationTest extends RpcServerFixture {
  @Test
  @DisplayName("L5: versions of TLS that know renegotiation are refused with an alert")
  void versionsOfTlsThatKnowRenegotiationAreRefusedWithAnAlert() throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {new Everybody()}, null);
    try (SSLSocket socket = connected(context)) {
      socket.setEnabledProtocols(new String[] {"TLSv1.2"});
      SSLException refused = assertThrows(SSLException.class, socket::startHandshake);
      assertTrue(String.valueOf(refused.getMessage()).contains("protocol_version"), "" + refused);
    }
    Openssl.require();
    for (String version : new String[] {"-tls1_1", "-tls1_2"}) {
      String said =
          Openssl.run(
              "s_client",
              version,
              "-cipher",
              "ALL:@SECLEVEL=0",
              "-connect",
              "127.0.0.1:" + endpoint.port());
      assertTrue(said.contains("alert protocol version"), said);
      assertFalse(said.contains("BEGIN CERTIFICATE"), said);
    }
  }

  /** Asked for another handshake, JSSE changes the keys of its direction: RFC 8446, 4.6.3. */
  @Test
  @DisplayName("L5: on a connection of TLS 1.3 there is one handshake, and who it is stays")
  void onAConnectionOfTls13ThereIsOneHandshake() throws Exception {
    int before = HANDSHAKE_CHECKS.get();
    try (SSLSocket socket = connected(pinned(authority.agent(COLONY, "web-1")))) {
      for (int i = 0; i < 20; i++) {
        socket.startHandshake();
      }
      socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(US_ASCII));
      String answer =
          new BufferedReader(new InputStreamReader(socket.getInputStream(), US_ASCII)).readLine();
      assertTrue(String.valueOf(answer).startsWith("HTTP/1.1 404"), answer);
    }
    assertEquals(1, HANDSHAKE_CHECKS.get() - before);
  }

  private static SSLSocket connected(SSLContext context) throws Exception {
    SSLSocket socket =
        (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", endpoint.port());
    socket.setSoTimeout((int) TIMEOUT.toMillis());
    return socket;
  }

  /** So that nothing but the version can be refused. */
  private static final class Everybody implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
