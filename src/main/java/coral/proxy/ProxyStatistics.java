package coral.proxy;

import java.time.Instant;
import java.util.Optional;

/**
 * What a proxy has done since it opened, and how it is.
 *
 * @param requests that came, refused ones included
 * @param open requests under way
 * @param refused requests that were not forwarded: for who or how they asked, or because the colony
 *     was away
 * @param failed requests whose forwarding broke
 * @param received bytes of requests' bodies
 * @param sent bytes of answers' bodies
 * @param connections from callers, now
 * @param connected whether there is a connection to the colony that answers
 * @param reason why there is none; empty while connected
 * @param since when this changed last
 */
public record ProxyStatistics(
    long requests,
    int open,
    long refused,
    long failed,
    long received,
    long sent,
    int connections,
    boolean connected,
    Optional<String> reason,
    Instant since) {}
