package coral.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.model.JournalRecord;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.persistence.jdbc.journal.dao.JournalTables.JournalPekkoSerializationRow;
import org.apache.pekko.persistence.jdbc.query.javadsl.JdbcReadJournal;
import org.apache.pekko.persistence.query.Offset;
import org.apache.pekko.persistence.query.PersistenceQuery;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.Effect;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.apache.pekko.stream.javadsl.Sink;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import scala.Option;
import scala.Tuple2;
import scala.jdk.javaapi.CollectionConverters;

/** The two data access objects beneath pekko-persistence-jdbc. */
@Timeout(60)
final class JournalDaoTest {
  @TempDir Path directory;

  private DuckDbFile file;
  private ActorTestKit kit;

  @BeforeEach
  void open() throws Exception {
    file = DuckDbFile.open(directory.resolve("colony.duckdb"));
    kit =
        ActorTestKit.create(
            file.persistenceConfig()
                .withFallback(
                    ConfigFactory.parseString(
                        "pekko.actor.testkit.typed.single-expect-default = 20s\n"
                            + "coral.journal.manifests.added-v1 = \""
                            + Added.class.getName()
                            + "\""))
                .withFallback(ConfigFactory.load()));
  }

  @AfterEach
  void close() {
    kit.shutdownTestKit();
    file.close();
  }

  /** An event of this test. */
  record Added(int number) implements JournalRecord {}

  /** Adds numbers up; the events are tagged, and a snapshot is taken every ten. */
  static final class Sum extends EventSourcedBehavior<Sum.Add, Added, Added> {
    record Add(List<Integer> numbers, ActorRef<Integer> replyTo) {}

    Sum(String id) {
      super(PersistenceId.ofUniqueId(id));
    }

    @Override
    public Added emptyState() {
      return new Added(0);
    }

    @Override
    public CommandHandler<Add, Added, Added> commandHandler() {
      return newCommandHandlerBuilder().forAnyState().onCommand(Add.class, this::onAdd).build();
    }

    private Effect<Added, Added> onAdd(Added state, Add add) {
      return Effect()
          .persist(add.numbers().stream().map(Added::new).toList())
          .thenReply(add.replyTo(), Added::number);
    }

    @Override
    public EventHandler<Added, Added> eventHandler() {
      return (state, event) -> new Added(state.number() + event.number());
    }

    @Override
    public Set<String> tagsFor(Added event) {
      return event.number() % 2 == 0 ? Set.of("even", "number") : Set.of("number");
    }

    @Override
    public RetentionCriteria retentionCriteria() {
      return RetentionCriteria.snapshotEvery(10, 1);
    }
  }

  @Test
  void taggedEventsOfManyActorsAreReadBackInOrder() throws Exception {
    TestProbe<Integer> probe = kit.createTestProbe();
    for (int actor = 0; actor < 20; actor++) {
      Behavior<Sum.Add> behavior = new Sum("sum-" + actor);
      kit.spawn(behavior).tell(new Sum.Add(List.of(1, 2, 4), probe.getRef()));
    }
    for (int actor = 0; actor < 20; actor++) {
      assertEquals(7, probe.receiveMessage());
    }
    JdbcReadJournal queries =
        PersistenceQuery.get(kit.system())
            .getReadJournalFor(JdbcReadJournal.class, JdbcReadJournal.Identifier());
    List<Object> even =
        queries
            .currentEventsByTag("even", Offset.noOffset())
            .map(envelope -> envelope.event())
            .runWith(Sink.seq(), kit.system())
            .toCompletableFuture()
            .get(20, TimeUnit.SECONDS)
            .stream()
            .toList();
    assertEquals(40, even.size());
    assertTrue(even.containsAll(List.of(new Added(2), new Added(4))));
    assertEquals(60, count("SELECT count(DISTINCT ordering) FROM event_journal"));
    assertEquals(60, count("SELECT max(ordering) FROM event_journal"));
    assertEquals(100, count("SELECT count(*) FROM event_tag"));
  }

  @Test
  void aSnapshotReplacesTheOneBefore() throws Exception {
    TestProbe<Integer> probe = kit.createTestProbe();
    Behavior<Sum.Add> behavior = new Sum("sum");
    ActorRef<Sum.Add> sum = kit.spawn(behavior);
    for (int i = 0; i < 35; i++) {
      sum.tell(new Sum.Add(List.of(1), probe.getRef()));
    }
    IntStream.rangeClosed(1, 35).forEach(i -> assertEquals(i, probe.receiveMessage()));
    probe.awaitAssert(
        () -> {
          assertEquals(1, count("SELECT count(*) FROM snapshot WHERE sequence_number = 30"));
          return 0;
        });
    kit.stop(sum);
    Behavior<Sum.Add> again = new Sum("sum");
    kit.spawn(again).tell(new Sum.Add(List.of(100), probe.getRef()));
    assertEquals(135, probe.receiveMessage());
  }

  @Test
  void aBrokenWriteStoresNothingAndTheNextOneWorks() throws Exception {
    JournalWriter writer = new JournalWriter(file);
    writer.write(rows("a", 1, 300, false));
    assertThrows(
        SQLException.class,
        () -> {
          List<Tuple2<JournalPekkoSerializationRow, scala.collection.immutable.Set<String>>> rows =
              new ArrayList<>(rows("b", 1, 300, false));
          rows.addAll(rows("a", 300, 1, false));
          writer.write(rows);
        });
    writer.close();
    assertEquals(300, count("SELECT count(*) FROM event_journal"));
    writer.write(rows("b", 1, 7, true));
    assertEquals(307, count("SELECT max(ordering) FROM event_journal"));
    assertEquals(7, count("SELECT count(*) FROM event_journal WHERE meta_payload IS NOT NULL"));
    writer.close();
  }

  @Test
  void aReadThatFailsNamesTheFile() throws Exception {
    try (Connection connection = file.connect();
        Statement statement = connection.createStatement()) {
      statement.execute("DROP TABLE event_journal");
    }
    DuckDbDataSource source = new DuckDbDataSource();
    source.setUrl(file.url());
    assertEquals(file, source.file());
    StoreException failed =
        assertThrows(
            StoreException.class,
            () ->
                file.inTransaction(
                    connection -> connection.createStatement().execute("FROM event_journal")));
    assertTrue(String.valueOf(failed.getMessage()).contains(file.path().toString()));
  }

  private static List<Tuple2<JournalPekkoSerializationRow, scala.collection.immutable.Set<String>>>
      rows(String persistenceId, int from, int count, boolean metadata) {
    List<Tuple2<JournalPekkoSerializationRow, scala.collection.immutable.Set<String>>> rows =
        new ArrayList<>();
    for (int i = from; i < from + count; i++) {
      rows.add(
          new Tuple2<>(
              new JournalPekkoSerializationRow(
                  0,
                  false,
                  persistenceId,
                  i,
                  "writer",
                  1,
                  "",
                  new byte[] {1, 2, 3},
                  17,
                  "manifest",
                  metadata ? Option.apply(new byte[] {4}) : Option.empty(),
                  metadata ? Option.apply(4) : Option.empty(),
                  metadata ? Option.apply("meta") : Option.empty()),
              CollectionConverters.asScala(Set.<String>of()).toSet()));
    }
    return rows;
  }

  private long count(String sql) {
    try {
      return file.inTransaction(
          connection -> {
            try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
              result.next();
              return result.getLong(1);
            }
          });
    } catch (StoreException e) {
      throw new CompletionException(e);
    }
  }
}
