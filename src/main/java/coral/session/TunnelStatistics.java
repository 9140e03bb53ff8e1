package coral.session;

import java.time.Instant;
import java.util.Optional;

/**
 * An agent's tunnel as the agent counts it.
 *
 * @param lastHandshake empty if there was none yet
 * @param receivedBytes unsigned
 * @param sentBytes unsigned
 */
public record TunnelStatistics(
    Optional<Instant> lastHandshake, long receivedBytes, long sentBytes) {}
