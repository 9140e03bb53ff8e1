package coral.rpc;

import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.apache.pekko.http.javadsl.ConnectionContext;
import org.apache.pekko.http.javadsl.HttpsConnectionContext;

/**
 * The server's side of TLS 1.3. The client's certificate is optional in TLS, because one port
 * serves callers with and without; one that is shown must be good, or the handshake fails.
 *
 * <p>Every connection gets a context of its own. So a replaced certificate is used from the next
 * connection on, and no session is ever resumed: resumption does not ask the trust manager.
 */
public final class ServerTls {
  private final Optional<Supplier<List<X509Certificate>>> clientRoots;
  private final PeerTrust trust;
  private volatile OwnKey keys;
  private volatile Consumer<HandshakeRefusal> refusals = why -> {};

  private ServerTls(
      ClientCertificate own,
      Optional<Supplier<List<X509Certificate>>> clientRoots,
      Predicate<X509Certificate> accept) {
    this.keys = new OwnKey(own.key(), own.chain());
    this.clientRoots = clientRoots;
    this.trust =
        PeerTrust.ofClients(
            chain -> verify(chain, clientRoots, accept),
            () -> clientRoots.map(Supplier::get).orElse(List.of()));
  }

  /**
   * The TLS of a server.
   *
   * @param chain the server's own, the leaf first; the root included where clients pin it
   * @param clientRoot issues the certificates of clients; empty: clients are never asked for one
   * @param accept whether a client certificate that leads to the root is still good; asked in every
   *     handshake, on a thread that must not block
   */
  public static ServerTls of(
      PrivateKey key,
      List<X509Certificate> chain,
      Optional<X509Certificate> clientRoot,
      Predicate<X509Certificate> accept) {
    return new ServerTls(
        new ClientCertificate(key, chain), clientRoot.map(root -> () -> List.of(root)), accept);
  }

  /**
   * {@link #of} for roots that may change.
   *
   * @param clientRoots issue the certificates of clients; asked for in every handshake, must not
   *     block
   */
  public static ServerTls trusting(
      PrivateKey key,
      List<X509Certificate> chain,
      Supplier<List<X509Certificate>> clientRoots,
      Predicate<X509Certificate> accept) {
    return new ServerTls(new ClientCertificate(key, chain), Optional.of(clientRoots), accept);
  }

  /** Has somebody hear of every handshake that is refused for the client's certificate. */
  public void onRefusal(Consumer<HandshakeRefusal> listener) {
    refusals = listener;
  }

  /** Shows another certificate from the next connection on; open ones go on. */
  public void replace(PrivateKey key, List<X509Certificate> chain) {
    keys = new OwnKey(key, new ClientCertificate(key, chain).chain());
  }

  /** The context that Pekko HTTP binds a port with. */
  public HttpsConnectionContext connectionContext() {
    return ConnectionContext.httpsServer(this::engine);
  }

  /** The server's end of one connection. */
  public SSLEngine engine() {
    SSLContext context = TlsContexts.create(Optional.of(keys), trust);
    SSLEngine engine = context.createSSLEngine();
    engine.setUseClientMode(false);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setProtocols(new String[] {TlsContexts.PROTOCOL});
    parameters.setWantClientAuth(clientRoots.isPresent());
    engine.setSSLParameters(parameters);
    return engine;
  }

  private void verify(
      List<X509Certificate> chain,
      Optional<Supplier<List<X509Certificate>>> clientRoots,
      Predicate<X509Certificate> accept)
      throws CertificateException {
    List<X509Certificate> roots =
        clientRoots
            .orElseThrow(() -> new CertificateException("client certificates are not used"))
            .get();
    try {
      CertificatePaths.verify(chain, roots, CertificatePaths.CLIENT_AUTHENTICATION);
    } catch (CertificateExpiredException | CertificateNotYetValidException e) {
      refusals.accept(HandshakeRefusal.EXPIRED);
      throw e;
    } catch (CertificateException e) {
      refusals.accept(HandshakeRefusal.UNTRUSTED);
      throw e;
    }
    if (!accept.test(chain.get(0))) {
      refusals.accept(HandshakeRefusal.ENDED);
      throw new CertificateException("the client certificate is no longer accepted");
    }
  }
}
