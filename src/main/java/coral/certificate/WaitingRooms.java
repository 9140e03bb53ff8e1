package coral.certificate;

import coral.certificate.CertificateAuthority.Reply;
import coral.certificate.CertificateAuthority.Request;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.Refused;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * Who waits for an answer of the certificate authority. Strangers, members who renew, and operators
 * have a room each, so that however many strangers wait neither of the others is refused for it. In
 * the room of members nobody takes more than a few places. Not thread-safe.
 */
final class WaitingRooms {
  /** Requests of operators; there are few of them. */
  private static final int OPERATORS = 64;

  /** A member has one renewal under way, and may have lost the connection of some before. */
  static final int PLACES_OF_ONE_MEMBER = 4;

  private enum Room {
    STRANGERS,
    MEMBERS,
    OPERATORS
  }

  private record Waiting(Room room, Request request) {}

  private final int places;
  private final Map<Long, Waiting> waiting = new HashMap<>();
  private final Map<Room, Integer> taken = new EnumMap<>(Room.class);
  private final Map<AgentId, Integer> takenByMember = new HashMap<>();
  private long lastTicket;

  /**
   * @param places for strangers, and as many for members
   */
  WaitingRooms(int places) {
    this.places = places;
  }

  /** Why a request cannot wait; empty if it can. */
  Optional<Refused> refusal(Request request) {
    Room room = room(request);
    int there = taken.getOrDefault(room, 0);
    if (there >= places(room)) {
      return refused(there + " requests for certificates are waiting; try again later");
    }
    boolean tooManyOfOne =
        room == Room.MEMBERS
            && member(request)
                .filter(id -> takenByMember.getOrDefault(id, 0) >= PLACES_OF_ONE_MEMBER)
                .isPresent();
    return tooManyOfOne
        ? refused("several renewals of this agent are under way; wait for their answers")
        : Optional.empty();
  }

  /**
   * Takes a place, which {@link #refusal} has not refused.
   *
   * @return a ticket that no other request has had
   */
  long enter(Request request) {
    Room room = room(request);
    long ticket = ++lastTicket;
    waiting.put(ticket, new Waiting(room, request));
    count(room, request, 1);
    return ticket;
  }

  /** Frees a place. Empty if {@link #leaveAll} has freed it before. */
  Optional<ActorRef<Reply>> leave(long ticket) {
    @Nullable Waiting left = waiting.remove(ticket);
    if (left == null) {
      return Optional.empty();
    }
    count(left.room(), left.request(), -1);
    return Optional.of(left.request().replyTo());
  }

  /** Frees all places. */
  List<ActorRef<Reply>> leaveAll() {
    List<ActorRef<Reply>> left = new ArrayList<>();
    waiting.values().forEach(each -> left.add(each.request().replyTo()));
    waiting.clear();
    taken.clear();
    takenByMember.clear();
    return left;
  }

  private void count(Room room, Request request, int change) {
    taken.merge(room, change, Integer::sum);
    if (room == Room.MEMBERS) {
      member(request)
          .ifPresent(
              id ->
                  takenByMember.compute(
                      id,
                      (unused, before) -> {
                        int now = (before == null ? 0 : before) + change;
                        return now == 0 ? null : now;
                      }));
    }
  }

  private int places(Room room) {
    return room == Room.OPERATORS ? OPERATORS : places;
  }

  private static Room room(Request request) {
    if (request instanceof CertificateAuthority.Issue issue) {
      return issue.payment() instanceof Payment.Certificate ? Room.MEMBERS : Room.STRANGERS;
    }
    return Room.OPERATORS;
  }

  private static Optional<AgentId> member(Request request) {
    return request instanceof CertificateAuthority.Issue issue
        ? Optional.of(issue.agentId())
        : Optional.empty();
  }

  private static Optional<Refused> refused(String message) {
    return Optional.of(new Refused(Failure.LIMIT_REACHED, message));
  }
}
