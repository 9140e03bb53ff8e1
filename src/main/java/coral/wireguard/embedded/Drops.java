package coral.wireguard.embedded;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** Counts what a device dropped, by reason. */
final class Drops {
  /** Why a datagram, a handshake message or a packet was dropped. */
  enum Reason {
    /** A datagram that is no WireGuard message, or transport data that holds no IP packet. */
    MALFORMED,
    /** A handshake message that fails its authentication, or names a handshake that is not ours. */
    HANDSHAKE_REFUSED,
    /** An initiation of a key that is no peer. */
    UNKNOWN_PEER,
    /** An initiation that is not newer than the last, or comes too soon after it. */
    INITIATION_REPLAYED,
    /** More handshake messages at once than wait. */
    HANDSHAKE_OVERLOAD,
    /** Transport data for a session that is not there, as after a restart. */
    UNKNOWN_SESSION,
    /** Transport data for a session older than Reject-After-Time. */
    SESSION_EXPIRED,
    NOT_AUTHENTIC,
    REPLAYED,
    /** A packet whose source is not among the allowed addresses of the peer that sent it. */
    SOURCE_NOT_ALLOWED,
    /** A packet that ends here, to an address that this device does not have. */
    NOT_OWN_DESTINATION,
    /** A packet to an address that no peer has. */
    NO_PEER_FOR_DESTINATION,
    /** A packet to a peer without session and without endpoint, or that waited in vain for one. */
    PEER_UNREACHABLE,
    /** A packet from peer to peer that may go no further. */
    HOPS_EXCEEDED,
    /** The socket refused to send. */
    SEND_FAILED,
    /** The TUN device refused a packet. */
    DELIVERY_FAILED,
    /** A packet that ended in an unexpected exception: a defect. */
    DEFECT
  }

  private final Map<Reason, LongAdder> counters = new EnumMap<>(Reason.class);

  Drops() {
    for (Reason reason : Reason.values()) {
      counters.put(reason, new LongAdder());
    }
  }

  void count(Reason reason) {
    counter(reason).increment();
  }

  long get(Reason reason) {
    return counter(reason).sum();
  }

  private LongAdder counter(Reason reason) {
    LongAdder counter = counters.get(reason);
    if (counter == null) {
      throw new AssertionError("every reason has a counter");
    }
    return counter;
  }
}
