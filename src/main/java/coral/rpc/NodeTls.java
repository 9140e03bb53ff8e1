package coral.rpc;

import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;

/**
 * TLS 1.3 between the nodes of one colony. Both sides demand a certificate: it must lead to a root
 * of the colony, be for servers or for clients, whichever the other side is, and its only URI must
 * be that of a node. So neither a stranger nor an agent or administrator of the same colony gets
 * through.
 *
 * <p>Host names are not compared: every node of a colony may be at any address.
 */
public final class NodeTls {
  private final Supplier<ClientCertificate> asServer;
  private final Supplier<ClientCertificate> asClient;
  private final PeerTrust trust;

  /**
   * The TLS of a node.
   *
   * @param asServer shown to a node that connects; asked for at each connection
   * @param asClient shown to a node that is connected to; asked for at each connection
   * @param roots of all nodes' certificates; asked for at each connection
   * @param uri of every node: {@code spiffe://<colony-id>/node}
   */
  public NodeTls(
      Supplier<ClientCertificate> asServer,
      Supplier<ClientCertificate> asClient,
      Supplier<List<X509Certificate>> roots,
      String uri) {
    this.asServer = asServer;
    this.asClient = asClient;
    this.trust =
        PeerTrust.ofNodes(
            chain -> verify(chain, roots.get(), CertificatePaths.CLIENT_AUTHENTICATION, uri),
            chain -> verify(chain, roots.get(), CertificatePaths.SERVER_AUTHENTICATION, uri),
            roots);
  }

  /** For a connection that another node opened. */
  public SSLEngine serverEngine() {
    SSLEngine engine = engine(asServer.get());
    engine.setUseClientMode(false);
    engine.setNeedClientAuth(true);
    return engine;
  }

  /** For a connection that this node opens. */
  public SSLEngine clientEngine() {
    SSLEngine engine = engine(asClient.get());
    engine.setUseClientMode(true);
    return engine;
  }

  /** Of a context of its own: no session is ever resumed, because that verifies nothing. */
  private SSLEngine engine(ClientCertificate shown) {
    SSLEngine engine =
        TlsContexts.create(Optional.of(new OwnKey(shown.key(), shown.chain())), trust)
            .createSSLEngine();
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setProtocols(new String[] {TlsContexts.PROTOCOL});
    engine.setSSLParameters(parameters);
    return engine;
  }

  private static void verify(
      List<X509Certificate> chain, List<X509Certificate> roots, String purpose, String uri)
      throws CertificateException {
    CertificatePaths.verify(chain, roots, purpose);
    List<String> uris = CallerIdentity.uris(chain.get(0));
    if (!uris.equals(List.of(uri))) {
      throw new CertificateException("the peer is " + uris + ", not a node of this colony");
    }
  }
}
