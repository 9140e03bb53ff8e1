package coral.agent;

import coral.model.ColonyId;
import coral.model.Endpoint;
import java.util.List;

/** Where colonies are looked up. Blocks. */
interface ColonyDirectory {
  /**
   * The gRPC endpoints of a colony, best first; never empty, and not to be trusted.
   *
   * @throws JoinException DISCOVERY_UNREACHABLE or COLONY_UNKNOWN
   */
  List<Endpoint> find(ColonyId colonyId) throws JoinException;
}
