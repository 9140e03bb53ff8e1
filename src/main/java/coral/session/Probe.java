package coral.session;

import java.time.Duration;
import java.util.Optional;

/**
 * An echo to the colony's mesh address, through the tunnel.
 *
 * @param ipv6 the family
 * @param roundTrip empty if it was not answered
 */
public record Probe(boolean ipv6, Optional<Duration> roundTrip) {}
