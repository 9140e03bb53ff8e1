package coral.certificate;

import coral.model.AgentId;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Whose turn it is: of one agent id one request is under way at a time, the others wait in the
 * order in which they came. The holder of the id goes before strangers who merely name it. Not
 * thread-safe; how many wait is bounded by {@link WaitingRooms}.
 *
 * @param <T> a request
 */
final class Turns<T> {
  private static final class Line<T> {
    private final Deque<T> holders = new ArrayDeque<>();
    private final Deque<T> strangers = new ArrayDeque<>();
  }

  private final Map<AgentId, Line<T>> lines = new HashMap<>();

  /** Whether it is this request's turn at once; otherwise it waits for {@link #end}. */
  boolean begin(AgentId agentId, T request, boolean byHolder) {
    @Nullable Line<T> line = lines.get(agentId);
    if (line == null) {
      lines.put(agentId, new Line<>());
      return true;
    }
    (byHolder ? line.holders : line.strangers).addLast(request);
    return false;
  }

  /** The turn of a request of this id is over: whose it is now. */
  Optional<T> end(AgentId agentId) {
    @Nullable Line<T> line = lines.get(agentId);
    if (line == null) {
      return Optional.empty();
    }
    @Nullable T next = line.holders.pollFirst();
    if (next == null) {
      next = line.strangers.pollFirst();
    }
    if (next == null) {
      lines.remove(agentId);
    }
    return Optional.ofNullable(next);
  }
}
