package coral.rpc;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/**
 * Waits after the handshake for what the server thinks of it. In TLS 1.3 a client is done before
 * the server has looked at its certificate: the alert that refuses it comes later, and a reset that
 * follows it can make the client's first write fail with no more than "broken pipe". Whoever
 * listens before it writes reads the alert.
 */
final class VerdictSocketFactory extends SSLSocketFactory {
  /** The server broke the connection off while this side proved itself, and its alert was lost. */
  static final class HungUpException extends IOException {
    private static final long serialVersionUID = 1L;

    HungUpException(SocketException cause) {
      super("it hung up during the handshake", cause);
    }
  }

  /** Whether a call failed by that. */
  static boolean isHungUp(Throwable failure) {
    return failure instanceof HungUpException
        || (failure.getCause() != null && isHungUp(failure.getCause()));
  }

  private final SSLSocketFactory sockets;
  private final Duration patience;

  /**
   * A factory of sockets that have listened.
   *
   * @param patience how long: a server that is content says nothing
   */
  VerdictSocketFactory(SSLSocketFactory sockets, Duration patience) {
    this.sockets = sockets;
    this.patience = patience;
  }

  @Override
  public Socket createSocket(Socket connected, String host, int port, boolean autoClose)
      throws IOException {
    SSLSocket socket = (SSLSocket) sockets.createSocket(connected, host, port, autoClose);
    int timeout = socket.getSoTimeout();
    try {
      socket.startHandshake();
    } catch (SSLException e) {
      throw e;
    } catch (SocketException e) {
      throw new HungUpException(e);
    }
    socket.setSoTimeout(Math.toIntExact(patience.toMillis()));
    try {
      int spoken = socket.getInputStream().read();
      throw new IOException(
          spoken < 0 ? "the server closed the connection" : "the server speaks before it is asked");
    } catch (SocketTimeoutException content) {
      socket.setSoTimeout(timeout);
      return socket;
    }
  }

  @Override
  public String[] getDefaultCipherSuites() {
    return sockets.getDefaultCipherSuites();
  }

  @Override
  public String[] getSupportedCipherSuites() {
    return sockets.getSupportedCipherSuites();
  }

  @Override
  public Socket createSocket(String host, int port) throws IOException {
    throw notConnected();
  }

  @Override
  public Socket createSocket(String host, int port, InetAddress from, int fromPort)
      throws IOException {
    throw notConnected();
  }

  @Override
  public Socket createSocket(InetAddress host, int port) throws IOException {
    throw notConnected();
  }

  @Override
  public Socket createSocket(InetAddress host, int port, InetAddress from, int fromPort)
      throws IOException {
    throw notConnected();
  }

  /** The JDK's client tries these after the layered socket failed, and then throws that failure. */
  private static IOException notConnected() {
    return new IOException("only connected sockets are layered");
  }
}
