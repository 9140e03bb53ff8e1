package coral.proxy;

import java.time.Duration;

/**
 * What strangers on this host, and a colony that is slow, may take of a proxy.
 *
 * @param connections from callers, at once; more are closed as they come. Each is an open file.
 * @param requests under way at once; more are answered with 503
 * @param upstreamConnections to the colony, at most
 * @param streamsPerConnection on each of them, at most; fewer if the colony says so
 * @param headBytes of a request's head
 * @param streamWindow bytes of one request or answer that may wait here for a slow reader. A
 *     connection's window is that of all its streams together, so none ever waits for another.
 * @param firstRequest from a connection to its first request
 * @param idle from the end of a connection's last request to its close
 * @param connect one attempt at the colony: TCP, TLS and a first answer. So long a request may wait
 *     for a connection that is to replace another, before it goes to the other.
 * @param waiting for room on a connection, when all are in full use
 * @param quiet without a byte from the colony until it is asked for a sign of life; after three
 *     times as long the connection is given up
 * @param retiringConnections to the colony that were replaced and are kept for the requests under
 *     way on them; the one that was replaced first makes room, and its requests end as UNAVAILABLE
 * @param retirement from a connection's replacement to its close, at most: a stream that is under
 *     way still ends then as UNAVAILABLE, and its caller connects again
 * @param firstRetry from a lost connection to the next attempt; doubled at each
 * @param longestRetry the end of doubling
 * @param drain for requests under way when the proxy closes
 */
record ProxyLimits(
    int connections,
    int requests,
    int upstreamConnections,
    int streamsPerConnection,
    int headBytes,
    int streamWindow,
    Duration firstRequest,
    Duration idle,
    Duration connect,
    Duration waiting,
    Duration quiet,
    int retiringConnections,
    Duration retirement,
    Duration firstRetry,
    Duration longestRetry,
    Duration drain) {
  static final ProxyLimits DEFAULT =
      new ProxyLimits(
          4096,
          2048,
          16,
          128,
          32 << 10,
          128 << 10,
          Duration.ofSeconds(10),
          Duration.ofMinutes(5),
          Duration.ofSeconds(2),
          Duration.ofSeconds(10),
          Duration.ofSeconds(3),
          16,
          Duration.ofHours(1),
          Duration.ofMillis(100),
          Duration.ofSeconds(5),
          Duration.ofSeconds(3));
}
