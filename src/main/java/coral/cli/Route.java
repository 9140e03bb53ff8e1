package coral.cli;

import coral.model.Endpoint;
import coral.rpc.Role;
import java.util.Optional;

/**
 * One way to a colony.
 *
 * @param endpoint what is connected to
 * @param origin how the endpoint is known, for people
 * @param role of the proxy, hence what its callers may do at most; empty if the caller shows its
 *     own certificate
 */
record Route(Via via, Endpoint endpoint, String origin, Optional<Role> role) {
  static Route direct(Via via, Endpoint endpoint, String origin) {
    return new Route(via, endpoint, origin, Optional.empty());
  }

  static Route proxy(Endpoint endpoint, String origin, Role role) {
    return new Route(Via.PROXY, endpoint, origin, Optional.of(role));
  }

  /** For people: {@code mesh 10.42.0.1:9000}. */
  @Override
  public String toString() {
    return via.words() + " " + endpoint;
  }
}
