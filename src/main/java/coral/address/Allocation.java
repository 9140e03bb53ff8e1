package coral.address;

import coral.model.AgentId;
import coral.model.Authentication;
import coral.model.WireGuardKey;
import java.time.Instant;

/**
 * One agent's place in the mesh. The host number gives both of its addresses ({@link
 * coral.model.MeshSubnet#addresses}).
 *
 * @param hostNumber the offset from the first address of either subnet
 * @param wireGuardKey the key that the agent uses now; no other agent has it
 * @param allocatedAt when the address was first given to the agent
 * @param componentName what runs on its host, as it last said; may be empty
 * @param authentication how it last proved who it is
 */
public record Allocation(
    AgentId agentId,
    int hostNumber,
    WireGuardKey wireGuardKey,
    Instant allocatedAt,
    String componentName,
    Authentication authentication)
    implements IpAllocator.Reply {
  /** Of an agent with a certificate that says nothing of its host. */
  public Allocation(AgentId agentId, int hostNumber, WireGuardKey wireGuardKey, Instant at) {
    this(agentId, hostNumber, wireGuardKey, at, "", Authentication.CERTIFICATE);
  }
}
