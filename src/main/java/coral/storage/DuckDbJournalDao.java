package coral.storage;

import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.apache.pekko.persistence.jdbc.config.JournalConfig;
import org.apache.pekko.persistence.jdbc.journal.dao.DefaultJournalDao;
import org.apache.pekko.persistence.jdbc.journal.dao.JournalTables.JournalPekkoSerializationRow;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.stream.Materializer;
import scala.Tuple2;
import scala.collection.immutable.Seq;
import scala.collection.immutable.Set;
import scala.concurrent.ExecutionContext;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;
import scala.jdk.javaapi.FutureConverters;
import scala.runtime.BoxedUnit;
import slick.jdbc.DataSourceJdbcDataSource;
import slick.jdbc.JdbcBackend;
import slick.jdbc.JdbcProfile;

/**
 * The journal of pekko-persistence-jdbc with its inserts made for DuckDB: one thread, one
 * connection, statements of many rows. With {@code jdbc-journal.parallelism = 1} the writes of all
 * actors that wait become one commit. Named in {@code journal.conf}; Pekko creates it.
 */
public final class DuckDbJournalDao extends DefaultJournalDao {
  private final DuckDbFile file;
  private final ExecutorService writer;
  private final JournalWriter rows;

  public DuckDbJournalDao(
      JdbcBackend.JdbcDatabaseDef database,
      JdbcProfile profile,
      JournalConfig config,
      Serialization serialization,
      ExecutionContext executionContext,
      Materializer materializer) {
    super(database, profile, config, serialization, executionContext, materializer);
    this.file = file(database);
    this.rows = new JournalWriter(file);
    this.writer =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread thread = new Thread(task, "duckdb-journal-writer");
              thread.setDaemon(true);
              return thread;
            });
    Runnable onInvalidated = this::closeLater;
    file.onInvalidated(onInvalidated);
    materializer
        .system()
        .registerOnTermination(
            () -> {
              file.removeOnInvalidated(onInvalidated);
              closeLater();
              writer.shutdown();
            });
  }

  /** The open file behind a database that {@code journal.conf} describes. */
  static DuckDbFile file(JdbcBackend.JdbcDatabaseDef database) {
    if (database.source() instanceof DataSourceJdbcDataSource source
        && source.ds() instanceof DuckDbDataSource duckDb) {
      return duckDb.file();
    }
    throw new IllegalStateException("the journal's data source must be DuckDbDataSource");
  }

  @Override
  public Future<BoxedUnit> writeJournalRows(
      Seq<Tuple2<JournalPekkoSerializationRow, Set<String>>> batch) {
    CompletableFuture<BoxedUnit> written = new CompletableFuture<>();
    List<Tuple2<JournalPekkoSerializationRow, Set<String>>> events =
        CollectionConverters.asJava(batch);
    try {
      writer.execute(() -> write(events, written));
    } catch (RejectedExecutionException e) {
      written.completeExceptionally(new StoreException("the journal is closed", e));
    }
    return FutureConverters.asScala(written);
  }

  // Whatever goes wrong must reach the actor that waits: nothing else will tell it.
  @SuppressWarnings("CatchingUnchecked")
  private void write(
      List<Tuple2<JournalPekkoSerializationRow, Set<String>>> events,
      CompletableFuture<BoxedUnit> written) {
    try {
      rows.write(events);
      written.complete(BoxedUnit.UNIT);
    } catch (SQLException e) {
      rows.close();
      written.completeExceptionally(file.failed(e));
    } catch (Exception e) {
      rows.close();
      written.completeExceptionally(e);
    }
  }

  /** The first thing that recovery reads: a database that has to be opened anew is found here. */
  @Override
  public Future<Object> highestSequenceNr(String persistenceId, long fromSequenceNr) {
    return FutureConverters.asScala(
        FutureConverters.asJava(super.highestSequenceNr(persistenceId, fromSequenceNr))
            .exceptionally(
                failure -> {
                  throw new CompletionException(
                      failure instanceof SQLException e ? file.failed(e) : failure);
                }));
  }

  private void closeLater() {
    try {
      writer.execute(rows::close);
    } catch (RejectedExecutionException e) {
      // The system is down, and with it the connection.
      return;
    }
  }
}
