package coral.address;

import coral.model.AgentId;
import java.time.Instant;

/**
 * A place in the mesh that is held for an agent which has not joined yet.
 *
 * @param hostNumber the offset from the first address of either subnet
 */
public record Reservation(AgentId agentId, int hostNumber, Instant reservedAt)
    implements IpAllocator.Reply {}
