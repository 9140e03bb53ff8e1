package coral.session;

/**
 * Connections of an agent's host with one other member, of the same port, protocol and direction.
 *
 * @param hostNumber of the other member
 * @param port that the side listens on which did not open them, 1 to 65535
 * @param outgoing whether the agent's host has opened them
 * @param count how many are open; positive
 * @param sentBytes from the agent's side; unsigned; 0 where they are not counted
 * @param receivedBytes from the agent's side; unsigned; 0 where they are not counted
 */
public record ReportedConnection(
    int hostNumber,
    Transport transport,
    int port,
    boolean outgoing,
    long count,
    long sentBytes,
    long receivedBytes) {}
