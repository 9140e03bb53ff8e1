package coral.rpc;

import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.function.Supplier;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * One check for every way in which JSSE asks whether a peer is trusted. The session of the
 * handshake is invalidated, so that it is never resumed: a resumed session does not ask the trust
 * manager, and would let a revoked certificate in.
 */
final class PeerTrust extends X509ExtendedTrustManager {
  /** What a side thinks of the other side's chain. */
  interface Check {
    /**
     * Returns only for a chain that is trusted.
     *
     * @param chain as the peer sent it, the leaf first, at least one certificate
     */
    void verify(List<X509Certificate> chain) throws CertificateException;
  }

  private static final Check NOBODY =
      chain -> {
        throw new CertificateException("this side does not accept peers in this role");
      };

  private final Check clients;
  private final Check servers;
  private final Supplier<List<X509Certificate>> issuers;

  private PeerTrust(Check clients, Check servers, Supplier<List<X509Certificate>> issuers) {
    this.clients = clients;
    this.servers = servers;
    this.issuers = issuers;
  }

  /** For a server. */
  static PeerTrust ofClients(Check check, Supplier<List<X509Certificate>> issuers) {
    return new PeerTrust(check, NOBODY, issuers);
  }

  /** For a client. */
  static PeerTrust ofServers(Check check) {
    return new PeerTrust(NOBODY, check, List::of);
  }

  /** For a node, which is server and client of the others. */
  static PeerTrust ofNodes(Check clients, Check servers, Supplier<List<X509Certificate>> issuers) {
    return new PeerTrust(clients, servers, issuers);
  }

  private static void verify(
      Check check, X509Certificate @Nullable [] chain, @Nullable SSLSession handshake)
      throws CertificateException {
    if (handshake != null) {
      handshake.invalidate();
    }
    if (chain == null || chain.length == 0) {
      throw new CertificateException("the peer sent no certificate");
    }
    check.verify(List.of(chain));
  }

  private static @Nullable SSLSession session(@Nullable Socket socket) {
    return socket instanceof SSLSocket tls ? tls.getHandshakeSession() : null;
  }

  private static @Nullable SSLSession session(@Nullable SSLEngine engine) {
    return engine == null ? null : engine.getHandshakeSession();
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, @Nullable Socket socket)
      throws CertificateException {
    verify(clients, chain, session(socket));
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, @Nullable SSLEngine engine)
      throws CertificateException {
    verify(clients, chain, session(engine));
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
    verify(clients, chain, null);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, @Nullable Socket socket)
      throws CertificateException {
    verify(servers, chain, session(socket));
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, @Nullable SSLEngine engine)
      throws CertificateException {
    verify(servers, chain, session(engine));
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
    verify(servers, chain, null);
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return issuers.get().toArray(new X509Certificate[0]);
  }
}
