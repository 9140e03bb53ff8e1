package coral.storage;

import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.pekko.persistence.SnapshotMetadata;
import org.apache.pekko.persistence.jdbc.config.SnapshotConfig;
import org.apache.pekko.persistence.jdbc.snapshot.dao.DefaultSnapshotDao;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.Serializer;
import org.apache.pekko.serialization.Serializers;
import org.apache.pekko.stream.Materializer;
import scala.concurrent.ExecutionContext;
import scala.concurrent.Future;
import scala.jdk.javaapi.FutureConverters;
import scala.runtime.BoxedUnit;
import slick.jdbc.JdbcBackend;
import slick.jdbc.JdbcProfile;

/**
 * The snapshot store of pekko-persistence-jdbc with an upsert that DuckDB understands. Serializes
 * and writes on a thread of its own, since a snapshot of 65,000 addresses has some megabytes. Named
 * in {@code journal.conf}; Pekko creates it.
 */
public final class DuckDbSnapshotDao extends DefaultSnapshotDao {
  private static final String UPSERT =
      "INSERT OR REPLACE INTO snapshot (persistence_id, sequence_number, created, snapshot_ser_id,"
          + " snapshot_ser_manifest, snapshot_payload) VALUES (?, ?, ?, ?, ?, ?)";

  private static final String ADD_METADATA =
      "UPDATE snapshot SET meta_ser_id = ?, meta_ser_manifest = ?, meta_payload = ?"
          + " WHERE persistence_id = ? AND sequence_number = ?";

  private final DuckDbFile file;
  private final Serialization serialization;
  private final ExecutorService writer;

  public DuckDbSnapshotDao(
      JdbcBackend.JdbcDatabaseDef database,
      JdbcProfile profile,
      SnapshotConfig config,
      Serialization serialization,
      ExecutionContext executionContext,
      Materializer materializer) {
    super(database, profile, config, serialization, executionContext, materializer);
    this.file = DuckDbJournalDao.file(database);
    this.serialization = serialization;
    this.writer =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread thread = new Thread(task, "duckdb-snapshot-writer");
              thread.setDaemon(true);
              return thread;
            });
    materializer.system().registerOnTermination(writer::shutdown);
  }

  @Override
  public Future<BoxedUnit> save(SnapshotMetadata metadata, Object snapshot) {
    return FutureConverters.asScala(
        CompletableFuture.supplyAsync(() -> write(metadata, snapshot), writer));
  }

  private BoxedUnit write(SnapshotMetadata metadata, Object snapshot) {
    Serializer serializer = serialization.findSerializerFor(snapshot);
    byte[] payload = serialization.serialize(snapshot).get();
    try {
      file.inTransaction(
          connection -> {
            try (PreparedStatement upsert = connection.prepareStatement(UPSERT)) {
              upsert.setString(1, metadata.persistenceId());
              upsert.setLong(2, metadata.sequenceNr());
              upsert.setLong(3, metadata.timestamp());
              upsert.setInt(4, serializer.identifier());
              upsert.setString(5, Serializers.manifestFor(serializer, snapshot));
              upsert.setBytes(6, payload);
              upsert.executeUpdate();
            }
            if (metadata.metadata().isDefined()) {
              addMetadata(connection, metadata, metadata.metadata().get());
            }
            return 0;
          });
    } catch (StoreException e) {
      throw new UncheckedIOException(e);
    }
    return BoxedUnit.UNIT;
  }

  private void addMetadata(Connection connection, SnapshotMetadata snapshot, Object metadata)
      throws SQLException {
    Serializer serializer = serialization.findSerializerFor(metadata);
    try (PreparedStatement update = connection.prepareStatement(ADD_METADATA)) {
      update.setInt(1, serializer.identifier());
      update.setString(2, Serializers.manifestFor(serializer, metadata));
      update.setBytes(3, serialization.serialize(metadata).get());
      update.setString(4, snapshot.persistenceId());
      update.setLong(5, snapshot.sequenceNr());
      update.executeUpdate();
    }
  }
}
