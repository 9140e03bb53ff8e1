package coral.address;

import coral.model.AgentId;
import coral.model.WireGuardKey;
import java.time.Instant;

/**
 * One agent's place in the mesh. The host number gives both of its addresses ({@link
 * coral.model.MeshSubnet#addresses}).
 *
 * @param hostNumber the offset from the first address of either subnet
 * @param wireGuardKey the key that the agent uses now; no other agent has it
 * @param allocatedAt when the address was first given to the agent
 */
public record Allocation(
    AgentId agentId, int hostNumber, WireGuardKey wireGuardKey, Instant allocatedAt)
    implements IpAllocator.Reply {}
