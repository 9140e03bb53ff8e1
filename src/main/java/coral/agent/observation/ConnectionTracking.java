package coral.agent.observation;

import coral.linux.TrackedFlow;
import java.net.InetAddress;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What the kernel tracks of this host: who has opened what, also on behalf of containers behind its
 * address, and bytes where {@code nf_conntrack_acct} is on.
 */
final class ConnectionTracking {
  static final String EVIDENCE = "conntrack";

  private final OwnAddresses own;
  private final Consumer<TrackedConnection> connections;

  /**
   * @param connections takes each as it is read; how many there are has no bound
   */
  ConnectionTracking(OwnAddresses own, Consumer<TrackedConnection> connections) {
    this.own = own;
    this.connections = connections;
  }

  /** Takes the next entry; one that is not of an open connection of this host is left out. */
  void flow(TrackedFlow flow) {
    boolean isDatagrams = flow.protocol() == TrackedFlow.UDP;
    if (flow.isAnswered() && (isDatagrams || flow.isEstablished())) {
      connection(flow).ifPresent(connections);
    }
  }

  private Optional<TrackedConnection> connection(TrackedFlow flow) {
    TrackedFlow.Way original = flow.original();
    TrackedFlow.Way reply = flow.reply();
    String protocol = flow.protocol() == TrackedFlow.UDP ? "udp" : "tcp";
    if ((own.isOwn(original.source()) || own.isOwn(reply.destination()))
        && own.isOther(reply.source())) {
      return Optional.of(
          new TrackedConnection(
              new ObservedConnection(
                  reply.source(),
                  reply.sourcePort(),
                  true,
                  protocol,
                  1,
                  original.bytes(),
                  reply.bytes()),
              socket(flow, original)));
    }
    if (own.isOwn(original.destination()) && own.isOther(original.source())) {
      return Optional.of(
          new TrackedConnection(
              new ObservedConnection(
                  original.source(),
                  original.destinationPort(),
                  false,
                  protocol,
                  1,
                  reply.bytes(),
                  original.bytes()),
              socket(flow, reply)));
    }
    return Optional.empty();
  }

  /**
   * Addresses are translated between sockets and the network: a socket of this host knows those
   * that its own packets start with.
   */
  private Optional<SocketPair> socket(TrackedFlow flow, TrackedFlow.Way sent) {
    InetAddress remote = sent.destination();
    return flow.protocol() == TrackedFlow.TCP && own.isOwn(sent.source()) && own.isOther(remote)
        ? Optional.of(new SocketPair(remote, sent.destinationPort(), sent.sourcePort()))
        : Optional.empty();
  }
}
