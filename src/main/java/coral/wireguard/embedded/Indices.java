package coral.wireguard.embedded;

import java.security.SecureRandom;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * By which index the other sides address our sessions and handshakes. A peer has at most one
 * handshake and three sessions here, and strangers have none, so its size needs no other limit.
 */
final class Indices {
  private static final SecureRandom RANDOM = new SecureRandom();

  private final ConcurrentHashMap<Integer, Target> targets = new ConcurrentHashMap<>();

  /**
   * What an index stands for.
   *
   * @param session null while the handshake runs
   */
  record Target(PeerState peer, @Nullable Session session) {}

  /** A new index, for a handshake that we begin or answer. */
  int reserve(PeerState peer) {
    Target target = new Target(peer, null);
    while (true) {
      int index = RANDOM.nextInt();
      if (targets.putIfAbsent(index, target) == null) {
        return index;
      }
    }
  }

  /** From now on the index stands for a session. */
  void assign(PeerState peer, Session session) {
    targets.put(session.index(), new Target(peer, session));
  }

  void release(int index) {
    targets.remove(index);
  }

  @Nullable Target find(int index) {
    return targets.get(index);
  }

  int size() {
    return targets.size();
  }
}
