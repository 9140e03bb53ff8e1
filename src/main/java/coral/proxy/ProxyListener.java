package coral.proxy;

import coral.rpc.CallerIdentity;
import coral.rpc.ServerTls;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.Set;

/**
 * Where a proxy listens, and for whom.
 *
 * @param address port 0 takes any free one
 * @param remote empty: plaintext on a loopback address, for every user of this host, who all have
 *     the proxy's own role
 * @param allowedOrigins of web pages that may call, such as {@code https://console.example.com}, or
 *     {@code http://localhost:5173}; exactly as a browser sends them. Others are refused.
 */
public record ProxyListener(
    InetSocketAddress address, Optional<Remote> remote, Set<String> allowedOrigins) {
  /**
   * Who may call from elsewhere, and as whom. A caller shows a client certificate of the colony or
   * the token; one with neither is refused.
   *
   * @param tls the server's side
   * @param roots of the colony: certificates of callers lead to one of them
   * @param callers reads the callers out of their certificates; {@code CallerIdentity.none()} where
   *     a token is the only way
   */
  public record Remote(
      ServerTls tls, CallerRoots roots, CallerIdentity callers, Optional<AccessToken> token) {}

  /**
   * @throws IllegalArgumentException for an address other than loopback without {@code remote}, one
   *     that is not resolved, or an origin that no browser sends
   */
  public ProxyListener {
    allowedOrigins = Set.copyOf(allowedOrigins);
    if (address.isUnresolved()) {
      throw new IllegalArgumentException("no such address: " + address.getHostString());
    }
    if (remote.isEmpty() && !address.getAddress().isLoopbackAddress()) {
      throw new IllegalArgumentException(
          "listening on "
              + address.getAddress().getHostAddress()
              + ", which other hosts reach, needs TLS with client certificates or an access token");
    }
    allowedOrigins.forEach(
        origin -> {
          if (!origin.matches("[a-z][a-z0-9+.-]*://[A-Za-z0-9._:\\[\\]-]+")) {
            throw new IllegalArgumentException(
                "an origin is scheme://host or scheme://host:port, not '" + origin + "'");
          }
        });
  }
}
