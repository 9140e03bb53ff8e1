package coral.agent;

import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Secret;
import java.util.List;

/** Discovery as an agent sees it. Blocks. */
interface DiscoveryClient {
  /**
   * The gRPC endpoints of a colony, best first; never empty, and not to be trusted.
   *
   * @throws JoinException DISCOVERY_UNREACHABLE or COLONY_UNKNOWN
   */
  List<Endpoint> find(DiscoveryAddress discovery, ColonyId colonyId) throws JoinException;

  /**
   * A registration token, good for one certificate of one key and for a minute.
   *
   * @param secret the colony's; shown to discovery and to nobody else
   * @param keyHash the SHA-256 of the key's SubjectPublicKeyInfo, in hexadecimal digits
   * @throws JoinException DISCOVERY_UNREACHABLE, WRONG_PIN, WRONG_SECRET, TOO_MANY_REQUESTS or
   *     CREDENTIALS_MISSING if it cannot be known whether discovery is discovery
   */
  Secret requestToken(
      DiscoveryAddress discovery, ColonyId colonyId, Secret secret, AgentId agentId, String keyHash)
      throws JoinException;
}
