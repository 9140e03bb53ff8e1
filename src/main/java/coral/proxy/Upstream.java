package coral.proxy;

import coral.model.Endpoint;
import coral.rpc.Role;
import java.util.List;
import javax.net.ssl.SSLContext;

/**
 * Where requests are forwarded to.
 *
 * @param endpoints of the colony's port, in order of preference: the mesh's IPv4 address, then
 *     IPv6, or the public port; host names are not compared with certificates
 * @param tls the client's side, with the proxy's certificate: of {@code ClientTls}
 * @param role the role in the proxy's certificate: what the callers on this host have
 * @param way for people
 */
public record Upstream(List<Endpoint> endpoints, SSLContext tls, Role role, Way way) {
  /**
   * @throws IllegalArgumentException without an endpoint, or for a role that no certificate has
   */
  public Upstream {
    endpoints = List.copyOf(endpoints);
    if (endpoints.isEmpty()) {
      throw new IllegalArgumentException("an upstream has at least one endpoint");
    }
    if (role == Role.ANYONE) {
      throw new IllegalArgumentException("a proxy has a certificate, and a role by it");
    }
  }

  /** Where, and how. */
  @Override
  public String toString() {
    return endpoints.get(0) + " (" + way + ")";
  }
}
