package coral.rpc;

import coral.model.RefusedException;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;

/** Who makes a call, and whether it may; connections are known by it from then on. */
final class Admission {
  private static final Pattern REQUEST_ID = Pattern.compile("[A-Za-z0-9._:/+=-]{1,128}");

  private final CallerIdentity identity;
  private final RpcAuthorization authorization;
  private final ConnectionLimit connections;
  private final KnownConnections known;
  private final TrustedProxies proxies;

  Admission(
      CallerIdentity identity,
      RpcAuthorization authorization,
      ConnectionLimit connections,
      KnownConnections known,
      TrustedProxies proxies) {
    this.identity = identity;
    this.authorization = authorization;
    this.connections = connections;
    this.known = known;
    this.proxies = proxies;
  }

  /** Takes note of a request, whatever it asks for. */
  void requested(HttpRequest request) {
    connections.strangerCalled(peer(request));
  }

  /**
   * The caller of an rpc: whom it is made for, if that is somebody else than who is connected.
   *
   * @throws RefusedException if either of them may not call it
   */
  Caller admit(String rpc, HttpRequest request) {
    Caller connected = identity.identify(certificate(request), remote(request), requestId(request));
    connected
        .certificate()
        .ifPresent(certificate -> remember(connected, peer(request), certificate));
    Caller caller = connected.speakingFor(values(request, Caller.HEADER));
    identity.requireRelayed(caller, values(request, ClientCertField.NAME));
    authorization.require(rpc, caller);
    return caller;
  }

  /** What the caller calls it, if that is fit for a record; otherwise nobody else has this id. */
  private static String requestId(HttpRequest request) {
    return request
        .getHeader("x-request-id")
        .map(HttpHeader::value)
        .filter(value -> REQUEST_ID.matcher(value).matches())
        .orElseGet(() -> Long.toHexString(ThreadLocalRandom.current().nextLong()));
  }

  private void remember(Caller caller, InetSocketAddress peer, X509Certificate certificate) {
    connections
        .known(peer)
        .ifPresent(socket -> known.add(caller.name().orElse(""), peer, socket, certificate));
  }

  private static Optional<X509Certificate> certificate(HttpRequest request) {
    return request.getAttribute(AttributeKeys.sslSession).flatMap(info -> leaf(info.getSession()));
  }

  private static Optional<X509Certificate> leaf(SSLSession session) {
    try {
      return session.getPeerCertificates()[0] instanceof X509Certificate certificate
          ? Optional.of(certificate)
          : Optional.empty();
    } catch (SSLPeerUnverifiedException e) {
      return Optional.empty(); // no certificate was shown
    }
  }

  /** Where the request comes from, as the connection or a trusted proxy says. */
  InetSocketAddress remote(HttpRequest request) {
    return proxies.client(peer(request), values(request, TrustedProxies.HEADER));
  }

  private static List<String> values(HttpRequest request, String name) {
    List<String> values = new ArrayList<>();
    request
        .getHeaders()
        .forEach(
            header -> {
              if (header.is(name)) {
                values.add(header.value());
              }
            });
    return values;
  }

  /** Where the connection comes from; port 0 where the transport does not tell. */
  private static InetSocketAddress peer(HttpRequest request) {
    return request
        .getAttribute(AttributeKeys.remoteAddress)
        .flatMap(
            remote ->
                remote
                    .getAddress()
                    .map(address -> new InetSocketAddress(address, remote.getPort())))
        .orElseGet(() -> new InetSocketAddress(0));
  }
}
