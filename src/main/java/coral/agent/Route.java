package coral.agent;

import coral.model.Endpoint;
import coral.proxy.Upstream;
import java.util.Optional;

/**
 * The way of a request, from this host to the colony.
 *
 * @param fallback why it is not the mesh; empty if it is
 */
record Route(Endpoint listen, Upstream upstream, Optional<String> fallback) {
  @Override
  public String toString() {
    return listen + " to " + upstream + fallback.map(reason -> ", because " + reason).orElse("");
  }
}
