package coral.agent.observation;

import java.net.InetAddress;

/**
 * Connections of this host with one address, of the same port, protocol and direction.
 *
 * @param remote of another member
 * @param port of the side that listens
 * @param outgoing whether this host has opened them
 * @param protocol {@code "tcp"} or {@code "udp"}
 * @param count how many are open
 * @param sentBytes from this host; 0 where they are not counted
 * @param receivedBytes by this host; 0 where they are not counted
 */
public record ObservedConnection(
    InetAddress remote,
    int port,
    boolean outgoing,
    String protocol,
    long count,
    long sentBytes,
    long receivedBytes) {

  /** Both together; they are of the same kind. */
  ObservedConnection and(ObservedConnection other) {
    return new ObservedConnection(
        remote,
        port,
        outgoing,
        protocol,
        count + other.count,
        sentBytes + other.sentBytes,
        receivedBytes + other.receivedBytes);
  }

  boolean isLike(ObservedConnection other) {
    return remote.equals(other.remote)
        && port == other.port
        && outgoing == other.outgoing
        && protocol.equals(other.protocol)
        && count == other.count;
  }
}
