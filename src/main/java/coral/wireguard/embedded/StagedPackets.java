package coral.wireguard.embedded;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;

/**
 * Packets to one peer that wait for its handshake. When there are too many, the oldest goes. Not
 * safe for use by several threads, but the budget may be shared by all peers.
 */
final class StagedPackets {
  private final Semaphore budget;
  private final ArrayDeque<byte[]> packets = new ArrayDeque<>(0);

  /**
   * @param budget as many permits as packets may wait for all peers together
   */
  StagedPackets(Semaphore budget) {
    this.budget = budget;
  }

  /** Keeps a copy; returns whether that cost no packet. */
  boolean add(byte[] packet, int offset, int length) {
    boolean room = packets.size() < Constants.STAGED_PACKETS_PER_PEER && budget.tryAcquire();
    if (!room && packets.pollFirst() == null) {
      return false;
    }
    byte[] copy = new byte[length];
    System.arraycopy(packet, offset, copy, 0, length);
    packets.addLast(copy);
    return room;
  }

  /** Takes all, the oldest first. */
  List<byte[]> take() {
    if (packets.isEmpty()) {
      return List.of();
    }
    List<byte[]> taken = new ArrayList<>(packets);
    packets.clear();
    budget.release(taken.size());
    return taken;
  }
}
