package coral.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URL;
import java.net.URLConnection;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.Test;

class NoDefaultTrustTest {
  @Test
  void aConnectionThatWasNotToldWhomToTrustIsRefused() throws IOException {
    SSLSocketFactory before = HttpsURLConnection.getDefaultSSLSocketFactory();
    NoDefaultTrust.install();
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      URLConnection connection =
          new URL("https://127.0.0.1:" + server.getLocalPort()).openConnection();

      IOException refused = assertThrows(IOException.class, connection::connect);

      assertEquals("this connection was not told which server to trust", refused.getMessage());
    } finally {
      HttpsURLConnection.setDefaultSSLSocketFactory(before);
    }
  }
}
