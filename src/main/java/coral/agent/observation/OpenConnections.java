package coral.agent.observation;

/**
 * Puts together what connection tracking and the table of sockets say. The sockets tell what TCP
 * connections this host itself has: tracking may cover one family only, begin later than a
 * connection, and with its rules gone it keeps what was open for up to five days. Tracking adds who
 * has opened them, their bytes, datagrams, and what containers behind this host have open.
 */
final class OpenConnections {
  private final TcpTable sockets;
  private final boolean allSockets;
  private final ConnectionKinds kinds = new ConnectionKinds();
  private boolean tracked;

  /**
   * @param sockets all lines of which are there
   * @param allSockets whether a connection that is not among them is none
   */
  OpenConnections(TcpTable sockets, boolean allSockets) {
    this.sockets = sockets;
    this.allSockets = allSockets;
  }

  /** Takes the next one that is tracked. */
  void add(TrackedConnection connection) {
    if (connection.socket().isEmpty()) {
      tracked = true;
      kinds.add(connection.seen());
      return;
    }
    SocketPair pair = connection.socket().get();
    if (sockets.remove(pair)) {
      tracked = true;
      kinds.add(opened(connection.seen(), pair));
    } else if (!allSockets) {
      tracked = true;
      kinds.add(connection.seen());
    }
  }

  /**
   * Tracking that begins in the midst of a connection takes whoever speaks first for its opener.
   * Who listens on its port has not opened it; and where nobody listens any more, the service has
   * the lower port.
   */
  private ObservedConnection opened(ObservedConnection seen, SocketPair pair) {
    boolean outgoing =
        !sockets.listensOn(pair.localPort())
            && (seen.outgoing() || pair.remotePort() < pair.localPort());
    return outgoing == seen.outgoing()
        ? seen
        : new ObservedConnection(
            pair.remote(),
            outgoing ? pair.remotePort() : pair.localPort(),
            outgoing,
            seen.protocol(),
            seen.count(),
            seen.sentBytes(),
            seen.receivedBytes());
  }

  /** Whether tracking has shown anything. */
  boolean isTracked() {
    return tracked;
  }

  /**
   * What is open. To be called once, after all that is tracked.
   *
   * @param incomplete whether not all that there is was read
   */
  Observation observation(boolean incomplete) {
    sockets.connections().forEach(kinds::add);
    return kinds.most(tracked ? ConnectionTracking.EVIDENCE : TcpTable.EVIDENCE, incomplete);
  }
}
