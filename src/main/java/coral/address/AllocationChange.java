package coral.address;

/**
 * A durable change, as the colony learns of it: in order, each once per process.
 *
 * @param sequenceNumber its place in the journal of {@link IpAllocator#PERSISTENCE_ID}, from 1
 */
public record AllocationChange(long sequenceNumber, AllocationEvent event) {}
