package coral.storage;

import coral.model.AgentId;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.persistence.jdbc.query.javadsl.JdbcReadJournal;
import org.apache.pekko.persistence.query.EventEnvelope;
import org.apache.pekko.persistence.query.PersistenceQuery;
import org.apache.pekko.stream.ActorAttributes;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.RestartSettings;
import org.apache.pekko.stream.UniqueKillSwitch;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.RestartSource;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a table up to date with the journal of one persistence id, in groups: each group and the
 * number of its last event are written in one transaction, so that no event is lost or applied
 * twice.
 */
public final class Projection {
  private static final Logger LOG = LoggerFactory.getLogger(Projection.class);

  /** Events in one transaction: large enough that its commit does not count. */
  private static final int GROUP = 1_000;

  /** Events in one transaction while the table is brought up to date, when nobody waits for one. */
  private static final int CATCH_UP_GROUP = 10_000;

  /** The longest that the table is behind the journal on account of grouping. */
  private static final Duration GROUP_WITHIN = Duration.ofMillis(100);

  /** Where statements that block may run. */
  private static final String BLOCKING = "pekko.actor.default-blocking-io-dispatcher";

  /**
   * An event as it stands in the journal.
   *
   * @param sequenceNumber from 1, without gaps
   */
  public record JournalEvent(long sequenceNumber, Object event) {}

  /** The table. Its methods may block. */
  public interface Target {
    /** The number of the last event applied; 0 if none. */
    long appliedUpTo() throws IOException;

    /** Applies events, which follow each other and the last one applied, in one transaction. */
    void apply(List<JournalEvent> events) throws IOException;
  }

  /** What an event means to {@code agent_ip_allocations}: the agent's row, or none. */
  public record RowChange(AgentId agentId, Optional<AllocationReadModel.Row> row) {}

  private final ActorSystem<?> system;
  private final String persistenceId;
  private final Target target;

  public Projection(ActorSystem<?> system, String persistenceId, Target target) {
    this.system = system;
    this.persistenceId = persistenceId;
    this.target = target;
  }

  /**
   * The table of allocations as a target.
   *
   * @param meaning of an event; empty if the table does not show it
   */
  public static Target into(
      AllocationReadModel table, Function<Object, Optional<RowChange>> meaning) {
    return new Target() {
      @Override
      public long appliedUpTo() throws StoreException {
        return table.appliedUpTo();
      }

      @Override
      public void apply(List<JournalEvent> events) throws StoreException {
        Map<AgentId, Optional<AllocationReadModel.Row>> last = new LinkedHashMap<>();
        for (JournalEvent event : events) {
          meaning.apply(event.event()).ifPresent(c -> last.put(c.agentId(), c.row()));
        }
        List<AllocationReadModel.Row> upserts = new ArrayList<>();
        List<AgentId> deletes = new ArrayList<>();
        last.forEach(
            (agentId, row) -> row.ifPresentOrElse(upserts::add, () -> deletes.add(agentId)));
        table.apply(upserts, deletes, events.get(events.size() - 1).sequenceNumber());
      }
    };
  }

  /**
   * Applies what the journal holds by now.
   *
   * @return the number of events applied, or a failure with the {@link StoreException}
   */
  public CompletionStage<Long> catchUp() {
    return from(last ->
            readJournal()
                .currentEventsByPersistenceId(persistenceId, last + 1, Long.MAX_VALUE)
                .grouped(CATCH_UP_GROUP))
        .runFold(0L, Long::sum, system);
  }

  /**
   * Follows the journal until the switch is used; begins again where it was, after a pause, when
   * the database fails.
   */
  public Pair<UniqueKillSwitch, CompletionStage<Done>> follow() {
    return RestartSource.withBackoff(
            RestartSettings.create(Duration.ofMillis(200), Duration.ofSeconds(5), 0.2),
            () ->
                from(last ->
                        readJournal()
                            .eventsByPersistenceId(persistenceId, last + 1, Long.MAX_VALUE)
                            .groupedWithin(GROUP, GROUP_WITHIN))
                    .mapError(
                        Throwable.class,
                        failure -> {
                          LOG.warn(
                              "the table of {} is behind its journal: {}",
                              persistenceId,
                              failure.getMessage());
                          return failure;
                        }))
        .viaMat(KillSwitches.single(), Keep.right())
        .toMat(Sink.ignore(), Keep.both())
        .run(system);
  }

  private Source<Long, NotUsed> from(Function<Long, Source<List<EventEnvelope>, NotUsed>> events) {
    return Source.lazySource(() -> events.apply(appliedUpTo()))
        .map(this::apply)
        .withAttributes(ActorAttributes.dispatcher(BLOCKING))
        .mapMaterializedValue(lazily -> NotUsed.getInstance());
  }

  private long appliedUpTo() {
    try {
      return target.appliedUpTo();
    } catch (IOException e) {
      throw new CompletionException(e.getMessage(), e);
    }
  }

  private long apply(List<EventEnvelope> group) throws IOException {
    target.apply(
        group.stream().map(each -> new JournalEvent(each.sequenceNr(), each.event())).toList());
    return group.size();
  }

  private JdbcReadJournal readJournal() {
    return PersistenceQuery.get(system)
        .getReadJournalFor(JdbcReadJournal.class, JdbcReadJournal.Identifier());
  }
}
