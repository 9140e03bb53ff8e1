package coral.rpc;

import coral.model.Fingerprint;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;

/**
 * The client's side of TLS 1.3. A server is known by the authority behind its certificate and by
 * the URI in it, never by its host name: colonies are reached at whatever address discovery tells.
 *
 * <p>For {@link ConnectClient}, and for generated clients by {@link RpcChannel}.
 */
public final class ClientTls {
  private ClientTls() {}

  /**
   * Trusts a server whose chain ends in the authority of this fingerprint. The server must send the
   * authority's certificate itself; without it there is nothing to compare.
   *
   * @param authority of the authority's certificate
   * @param expectedUri the only URI in the server's certificate: {@code
   *     spiffe://<colony-id>/colony}
   * @param own shown to the server when it asks
   */
  public static SSLContext pinned(
      Fingerprint authority, String expectedUri, Optional<ClientCertificate> own) {
    return context(
        own,
        chain -> {
          X509Certificate root = pinnedAuthority(chain, authority);
          verifyServer(chain, List.of(root), expectedUri);
        });
  }

  /**
   * Trusts a server whose chain ends in this authority, which the caller has on disk.
   *
   * @param expectedUri the only URI in the server's certificate: {@code
   *     spiffe://<colony-id>/colony}
   * @param own shown to the server when it asks
   */
  public static SSLContext trusting(
      X509Certificate root, String expectedUri, Optional<ClientCertificate> own) {
    return trusting(List.of(root), expectedUri, own);
  }

  /**
   * Trusts a server whose chain ends in one of these authorities: a trust bundle.
   *
   * @param expectedUri the only URI in the server's certificate: {@code
   *     spiffe://<colony-id>/colony}
   * @param own shown to the server when it asks
   */
  public static SSLContext trusting(
      Collection<X509Certificate> roots, String expectedUri, Optional<ClientCertificate> own) {
    List<X509Certificate> anchors = List.copyOf(roots);
    return context(own, chain -> verifyServer(chain, anchors, expectedUri));
  }

  /**
   * Trusts a server whose chain ends in one of these authorities: those of a trust bundle, or the
   * pinned one, whose certificate the server must then send itself.
   *
   * @param roots empty before there is a bundle
   * @param expectedUri the only URI in the server's certificate: {@code
   *     spiffe://<colony-id>/colony}
   * @param own shown to the server when it asks
   */
  public static SSLContext trusting(
      Collection<X509Certificate> roots,
      Optional<Fingerprint> pin,
      String expectedUri,
      Optional<ClientCertificate> own) {
    List<X509Certificate> bundle = List.copyOf(roots);
    return context(
        own,
        chain -> {
          List<X509Certificate> anchors = new ArrayList<>(bundle);
          if (pin.isPresent() && (bundle.isEmpty() || sends(chain, pin.get()))) {
            anchors.add(pinnedAuthority(chain, pin.get()));
          }
          verifyServer(chain, anchors, expectedUri);
        });
  }

  /** Trusts exactly one server certificate, whoever issued it: that of a discovery service. */
  public static SSLContext pinnedLeaf(Fingerprint certificate) {
    return context(
        Optional.empty(),
        chain -> {
          X509Certificate leaf = chain.get(0);
          requirePin(certificate, fingerprint(leaf));
          leaf.checkValidity();
          CertificatePaths.requirePurpose(leaf, CertificatePaths.SERVER_AUTHENTICATION);
        });
  }

  /**
   * Verifies nothing: the connection is encrypted to whoever answers. Only for asking what is
   * believed in no case before it is proved otherwise, such as an agent's look-up in discovery; no
   * secret may be sent over it.
   */
  public static SSLContext unverified() {
    return context(Optional.empty(), chain -> {});
  }

  private static SSLContext context(Optional<ClientCertificate> own, PeerTrust.Check servers) {
    return TlsContexts.create(
        own.map(certificate -> new OwnKey(certificate.key(), certificate.chain())),
        PeerTrust.ofServers(servers));
  }

  private static void verifyServer(
      List<X509Certificate> chain, Collection<X509Certificate> roots, String expectedUri)
      throws CertificateException {
    CertificatePaths.verify(chain, roots, CertificatePaths.SERVER_AUTHENTICATION);
    List<String> uris = CallerIdentity.uris(chain.get(0));
    if (!uris.equals(List.of(expectedUri))) {
      throw new CertificateException("the server is " + uris + ", not " + expectedUri);
    }
  }

  private static boolean sends(List<X509Certificate> chain, Fingerprint pin)
      throws CertificateException {
    for (X509Certificate candidate : chain.subList(1, chain.size())) {
      if (fingerprint(candidate).equals(pin)) {
        return true;
      }
    }
    return false;
  }

  private static X509Certificate pinnedAuthority(List<X509Certificate> chain, Fingerprint pin)
      throws CertificateException {
    for (X509Certificate candidate : chain.subList(1, chain.size())) {
      if (fingerprint(candidate).equals(pin)) {
        return candidate;
      }
    }
    throw new PinMismatchException(pin, fingerprint(chain.get(chain.size() - 1)));
  }

  private static void requirePin(Fingerprint expected, Fingerprint actual)
      throws PinMismatchException {
    if (!expected.equals(actual)) {
      throw new PinMismatchException(expected, actual);
    }
  }

  private static Fingerprint fingerprint(X509Certificate certificate)
      throws CertificateEncodingException {
    return Fingerprint.of(certificate.getEncoded());
  }
}
