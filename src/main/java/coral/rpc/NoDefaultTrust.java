package coral.rpc;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLSocketFactory;

/**
 * The sockets of an HTTPS connection that was not told whom to trust: there are none. Coral knows
 * its peers by pins and by a colony's own authority, never by the authorities of the machine; and
 * to read those, which Java does for the first connection of a process even if others are trusted
 * then, takes a tenth of a query's time.
 */
public final class NoDefaultTrust extends SSLSocketFactory {
  private NoDefaultTrust() {}

  /** Applies to every {@link HttpsURLConnection} that this process opens from now on. */
  public static void install() {
    HttpsURLConnection.setDefaultSSLSocketFactory(new NoDefaultTrust());
  }

  @Override
  public String[] getDefaultCipherSuites() {
    return new String[0];
  }

  @Override
  public String[] getSupportedCipherSuites() {
    return new String[0];
  }

  @Override
  public Socket createSocket(Socket socket, String host, int port, boolean autoClose)
      throws IOException {
    throw refused();
  }

  @Override
  public Socket createSocket(String host, int port) throws IOException {
    throw refused();
  }

  @Override
  public Socket createSocket(String host, int port, InetAddress localHost, int localPort)
      throws IOException {
    throw refused();
  }

  @Override
  public Socket createSocket(InetAddress host, int port) throws IOException {
    throw refused();
  }

  @Override
  public Socket createSocket(InetAddress address, int port, InetAddress localAddress, int localPort)
      throws IOException {
    throw refused();
  }

  private static IOException refused() {
    return new IOException("this connection was not told which server to trust");
  }
}
