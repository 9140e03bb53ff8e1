package coral.storage;

import coral.model.AgentId;
import coral.storage.CertificateReadModel.Change;
import coral.storage.CertificateReadModel.Row;
import coral.storage.CertificateReadModel.State;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the events of the journal make of the rows of {@code agent_certificates}, in memory. */
final class CertificateChanges {
  /** By serial number. */
  private final Map<String, Row> rows = new LinkedHashMap<>();

  /** Of each agent, in the order in which they were issued. */
  private final Map<AgentId, List<String>> serials = new LinkedHashMap<>();

  /**
   * @param stored what the agents that changes are about hold, and the last row of each, in the
   *     order in which they were issued
   */
  CertificateChanges(Collection<Row> stored) {
    stored.forEach(this::add);
  }

  /** All rows, those that came by changes last. */
  Collection<Row> rows() {
    return rows.values();
  }

  void apply(Change change) {
    AgentId agentId = change.agentId();
    if (change instanceof Change.Issued issued) {
      if (issued.promotes()) {
        promote(agentId);
      }
      become(agentId, State.NEXT, State.SUPERSEDED);
      Row row = issued.row();
      add(row.generation() == 0 ? row.numbered(lastGeneration(agentId) + 1) : row);
    } else if (change instanceof Change.Promoted) {
      promote(agentId);
    } else if (change instanceof Change.Ended ended) {
      end(ended);
    }
  }

  private void add(Row row) {
    rows.put(row.serial(), row);
    serials.computeIfAbsent(row.agentId(), id -> new ArrayList<>()).add(row.serial());
  }

  private void end(Change.Ended ended) {
    for (Row row : of(ended.agentId())) {
      if (row.state().isHeld()) {
        rows.put(
            row.serial(),
            ended.state() == State.SUPERSEDED
                ? row.in(State.SUPERSEDED, Optional.empty(), "")
                : row.in(ended.state(), Optional.of(ended.at()), ended.reason()));
      }
    }
  }

  private long lastGeneration(AgentId agentId) {
    return of(agentId).stream().mapToLong(Row::generation).max().orElse(0);
  }

  private void promote(AgentId agentId) {
    if (of(agentId).stream().anyMatch(row -> row.state() == State.NEXT)) {
      become(agentId, State.CURRENT, State.SUPERSEDED);
      become(agentId, State.NEXT, State.CURRENT);
    }
  }

  private void become(AgentId agentId, State from, State to) {
    for (Row row : of(agentId)) {
      if (row.state() == from) {
        rows.put(row.serial(), row.in(to));
      }
    }
  }

  private List<Row> of(AgentId agentId) {
    List<Row> own = new ArrayList<>();
    for (String serial : serials.getOrDefault(agentId, List.of())) {
      @Nullable Row row = rows.get(serial);
      if (row != null) {
        own.add(row);
      }
    }
    return own;
  }
}
