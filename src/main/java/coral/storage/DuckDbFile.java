package coral.storage;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.duckdb.DuckDBConnection;
import org.jspecify.annotations.Nullable;

/**
 * The one database file of a process. DuckDB locks it, so there is one process to a file, and
 * shares it among the connections of that process as long as one is open: this is the one that
 * stays open.
 */
public final class DuckDbFile implements AutoCloseable {
  /** The journal and the snapshots. */
  public static final String JOURNAL_SCHEMA = "db/journal.sql";

  /** The table of RFD 019. */
  public static final String ALLOCATION_SCHEMA = "db/001-agent-ip-allocations.sql";

  /** The table of RFD 020. */
  public static final String CERTIFICATE_SCHEMA = "db/002-agent-certificates.sql";

  /**
   * Every connection of a process must name the same options. The default memory limit is 80 % of
   * the machine; the journal needs little, and a checkpoint of a big file needs the rest.
   */
  private static final String OPTIONS = ";memory_limit=512MB;threads=2";

  private static final Map<String, DuckDbFile> OPEN = new ConcurrentHashMap<>();

  private final Path path;
  private final List<Runnable> onInvalidated = new CopyOnWriteArrayList<>();
  private @Nullable DuckDBConnection anchor;
  private boolean closed;

  private DuckDbFile(Path path) {
    this.path = path;
  }

  /**
   * Opens or creates the database of a colony.
   *
   * @throws StoreException naming the file and what is wrong with it
   */
  public static DuckDbFile open(Path file) throws StoreException {
    return open(
        file, List.of(JOURNAL_SCHEMA, ALLOCATION_SCHEMA, CERTIFICATE_SCHEMA, AuditTable.SCHEMA));
  }

  /**
   * Opens or creates a database.
   *
   * @param schemas resources of SQL statements that may be run again; must not be empty of effect
   * @throws StoreException naming the file and what is wrong with it
   */
  public static DuckDbFile open(Path file, List<String> schemas) throws StoreException {
    Path path = file.toAbsolutePath().normalize();
    StoreFailure.checkPath(path);
    StaleLibraries.delete();
    DuckDbFile opened = new DuckDbFile(path);
    try {
      if (OPEN.putIfAbsent(opened.url(), opened) != null) {
        throw new StoreException("the database " + path + " is open in this process already");
      }
      opened.applySchemas(schemas);
      opened.closeToOthers();
      return opened;
    } catch (StoreException e) {
      opened.close();
      throw e;
    } finally {
      StaleLibraries.deleteOwn();
    }
  }

  /** The open file behind a JDBC URL that {@link #persistenceConfig} gave to Pekko. */
  static DuckDbFile at(String url) {
    DuckDbFile file = OPEN.get(url);
    if (file == null) {
      throw new IllegalStateException("no database is open at " + url);
    }
    return file;
  }

  /**
   * DuckDB makes files with the mode that the umask leaves, and only at paths where there is none.
   * Its log is made anew at times: until the next start it then has that mode, in a folder that
   * only its owner enters.
   */
  private void closeToOthers() throws StoreException {
    try {
      for (Path file : List.of(path, log())) {
        if (Files.exists(file)) {
          Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        }
      }
    } catch (IOException e) {
      throw new StoreException("the database " + path + " cannot be closed to other users", e);
    }
  }

  private Path log() {
    return path.resolveSibling(path.getFileName() + ".wal");
  }

  private void applySchemas(List<String> schemas) throws StoreException {
    for (String schema : schemas) {
      String sql = resource(schema);
      inTransaction(
          connection -> {
            try (Statement statement = connection.createStatement()) {
              return statement.execute(sql);
            }
          });
    }
  }

  private static String resource(String name) {
    try (InputStream in = DuckDbFile.class.getClassLoader().getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalArgumentException("there is no resource " + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalArgumentException("the resource " + name + " cannot be read", e);
    }
  }

  public Path path() {
    return path;
  }

  /** The JDBC URL with its options. */
  public String url() {
    return "jdbc:duckdb:" + path + OPTIONS;
  }

  /**
   * A connection of the caller's own, to be closed by it.
   *
   * @throws StoreException naming the file and what is wrong with it
   */
  public synchronized Connection connect() throws StoreException {
    if (closed) {
      throw new StoreException("the database " + path + " is closed");
    }
    try {
      DuckDBConnection open = anchor;
      if (open == null) {
        open = DriverManager.getConnection(url()).unwrap(DuckDBConnection.class);
        anchor = open;
      }
      return open.duplicate();
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  /** Work in one transaction. */
  public interface Work<T> {
    T run(Connection connection) throws SQLException;
  }

  /**
   * Runs {@code work} in one transaction on a connection of its own.
   *
   * @throws StoreException if the work or its commit fails; then nothing was changed, unless the
   *     commit failed after it had reached the disk
   */
  public <T> T inTransaction(Work<T> work) throws StoreException {
    try (Connection connection = connect()) {
      connection.setAutoCommit(false);
      // The driver begins the transaction with the first statement that is executed; an Appender
      // that comes before any commits by itself.
      begin(connection);
      // After an error nothing may be committed: DuckDB's commit of an aborted transaction returns
      // normally. Closing the connection rolls back.
      T result = work.run(connection);
      connection.commit();
      return result;
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  private static void begin(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("SELECT 1");
    }
  }

  /**
   * The failure in words. If it has invalidated the database, as a full disk does, the next
   * connection opens the file anew.
   */
  synchronized StoreException failed(SQLException e) {
    if (StoreFailure.isInvalidated(e)) {
      closeAnchor();
      onInvalidated.forEach(Runnable::run);
    }
    return StoreFailure.describe(path, e);
  }

  /** {@code listener} must have whoever holds a connection for long close it, and not block. */
  void onInvalidated(Runnable listener) {
    onInvalidated.add(listener);
  }

  void removeOnInvalidated(Runnable listener) {
    onInvalidated.remove(listener);
  }

  /** Whether the file can be written, found out by writing it. */
  public boolean isWritable() {
    try {
      inTransaction(
          connection -> {
            try (Statement statement = connection.createStatement()) {
              return statement.executeUpdate(
                  "INSERT INTO write_probe VALUES (1, 1)"
                      + " ON CONFLICT (id) DO UPDATE SET writes = write_probe.writes + 1");
            }
          });
      return true;
    } catch (StoreException e) {
      return false;
    }
  }

  /**
   * The size of the file and of its write-ahead log, in bytes.
   *
   * @throws StoreException if it cannot be told
   */
  public long sizeBytes() throws StoreException {
    try {
      Path log = log();
      return Files.size(path) + (Files.exists(log) ? Files.size(log) : 0);
    } catch (IOException e) {
      throw new StoreException("the size of the database " + path + " cannot be told", e);
    }
  }

  /**
   * What pekko-persistence-jdbc needs to know of this file, to be laid over {@code journal.conf}.
   */
  public Config persistenceConfig() {
    return ConfigFactory.parseMap(
        Map.of("pekko-persistence-jdbc.shared-databases.slick.db.properties.url", url()),
        path.toString());
  }

  /** Lets go of the file once the connections that were handed out are closed too. */
  @Override
  public synchronized void close() {
    closed = true;
    closeAnchor();
    OPEN.remove(url(), this);
  }

  private void closeAnchor() {
    DuckDBConnection open = anchor;
    anchor = null;
    if (open != null) {
      try {
        open.close();
      } catch (SQLException e) {
        // It is given up: what was committed is in the log of the file.
        return;
      }
    }
  }
}
