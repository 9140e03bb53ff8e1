package coral.rpc;

import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;

/**
 * TLS 1.3 between the nodes of one colony. Both sides demand a certificate and verify it alike: it
 * must lead to the colony's root, be for servers and clients, and its only URI must be that of a
 * node. So neither a stranger nor an agent or administrator of the same colony gets through.
 *
 * <p>Host names are not compared: every node of a colony may be at any address.
 */
public final class NodeTls {
  private final Supplier<ClientCertificate> own;
  private final PeerTrust trust;

  /**
   * The TLS of a node.
   *
   * @param own shown to the other side; asked for at each connection
   * @param root issues the certificates of all nodes
   * @param uri of every node: {@code spiffe://<colony-id>/node}
   */
  public NodeTls(Supplier<ClientCertificate> own, X509Certificate root, String uri) {
    this.own = own;
    this.trust = PeerTrust.ofNodes(chain -> verify(chain, root, uri), List.of(root));
  }

  /** For a connection that another node opened. */
  public SSLEngine serverEngine() {
    SSLEngine engine = engine();
    engine.setUseClientMode(false);
    engine.setNeedClientAuth(true);
    return engine;
  }

  /** For a connection that this node opens. */
  public SSLEngine clientEngine() {
    SSLEngine engine = engine();
    engine.setUseClientMode(true);
    return engine;
  }

  /** Of a context of its own: no session is ever resumed, because that verifies nothing. */
  private SSLEngine engine() {
    ClientCertificate shown = own.get();
    SSLEngine engine =
        TlsContexts.create(Optional.of(new OwnKey(shown.key(), shown.chain())), trust)
            .createSSLEngine();
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setProtocols(new String[] {TlsContexts.PROTOCOL});
    engine.setSSLParameters(parameters);
    return engine;
  }

  private static void verify(List<X509Certificate> chain, X509Certificate root, String uri)
      throws CertificateException {
    CertificatePaths.verify(chain, root, CertificatePaths.CLIENT_AUTHENTICATION);
    CertificatePaths.requirePurpose(chain.get(0), CertificatePaths.SERVER_AUTHENTICATION);
    List<String> uris = CallerIdentity.uris(chain.get(0));
    if (!uris.equals(List.of(uri))) {
      throw new CertificateException("the peer is " + uris + ", not a node of this colony");
    }
  }
}
