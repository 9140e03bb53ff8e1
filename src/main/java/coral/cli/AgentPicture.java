package coral.cli;

import coral.api.colony.v1.Agent;
import coral.api.colony.v1.WatchAgentsResponse;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** All agents as they were told last, and what each message has changed. */
final class AgentPicture {
  /** What became of an agent. */
  enum Kind {
    /** It was there when the watch began. */
    PRESENT,
    JOINED,
    CHANGED,
    /** It holds no address any more; shown as it was. */
    LEFT
  }

  /**
   * A change.
   *
   * @param before empty unless it was known
   */
  record Change(Kind kind, Agent agent, Optional<Agent> before) {}

  private final SortedMap<String, Agent> agents = new TreeMap<>();
  private final Set<String> missing = new HashSet<>();
  private boolean began;
  private boolean complete;

  /** A new stream begins with all agents: those that it does not name have left meanwhile. */
  void begin() {
    missing.clear();
    missing.addAll(agents.keySet());
    complete = false;
  }

  List<Change> apply(WatchAgentsResponse told) {
    List<Change> changes = new ArrayList<>();
    for (Agent agent : told.getAgentsList()) {
      @Nullable Agent before = agents.put(agent.getAgentId(), agent);
      missing.remove(agent.getAgentId());
      Kind kind = before != null ? Kind.CHANGED : began ? Kind.JOINED : Kind.PRESENT;
      if (!agent.equals(before)) {
        changes.add(new Change(kind, agent, Optional.ofNullable(before)));
      }
    }
    told.getRemovedAgentIdsList().forEach(agentId -> remove(agentId, changes));
    if (told.getComplete() && !complete) {
      missing.stream().sorted().forEach(agentId -> remove(agentId, changes));
      missing.clear();
      complete = true;
      began = true;
    }
    return changes;
  }

  private void remove(String agentId, List<Change> changes) {
    @Nullable Agent before = agents.remove(agentId);
    if (before != null) {
      changes.add(new Change(Kind.LEFT, before, Optional.of(before)));
    }
  }

  /** By agent id. */
  Collection<Agent> agents() {
    return agents.values();
  }

  /** Whether the present stream has told of all of them. */
  boolean isComplete() {
    return complete;
  }
}
