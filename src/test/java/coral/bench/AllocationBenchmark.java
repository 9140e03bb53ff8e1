package coral.bench;

import coral.address.DurableAllocator;
import coral.model.MeshSubnet;
import coral.storage.DuckDbFile;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;

/** Durable allocations per second, beside the bare commits of a loop of plain JDBC. */
final class AllocationBenchmark implements Benchmark {
  /** Room for all that the benchmark allocates. */
  private static final MeshSubnet SUBNET = MeshSubnet.parse("10.0.0.0/8", "fd42::/64");

  /** An event of the journal with its columns. */
  private static final int ROW_BYTES = 190;

  /** An allocation in CBOR. */
  private static final int PAYLOAD_BYTES = 130;

  /** A fresh file for each measurement: what was allocated before costs memory and snapshots. */
  @Override
  public List<Measurement> run(Path directory, Duration time) throws IOException, SQLException {
    List<Measurement> lines = new ArrayList<>();
    lines.add(Measurement.of("bare commits of 1 row", bare(directory, 1, time), "/s"));
    lines.add(Measurement.of("bare rows in commits of 256", bare(directory, 256, time), "/s"));
    lines.add(
        Measurement.of(
            "rows in the journal's own table in commits of 256",
            journalRows(directory, time),
            "/s"));
    allocations(directory, load -> load.oneByOne(256, time)); // compiles the code
    for (int inFlight : List.of(1, 64, 256)) {
      Measurement line =
          Measurement.of(
              "durable allocations one by one, " + inFlight + " in flight",
              allocations(directory, load -> load.oneByOne(inFlight, time)),
              "/s");
      lines.add(inFlight == 256 ? line.atLeast(8_000) : line);
    }
    lines.add(
        Measurement.of(
                "durable allocations in batches of 256",
                allocations(directory, load -> load.inBatches(256, time)),
                "/s")
            .atLeast(40_000));
    return lines;
  }

  private static double bare(Path directory, int rowsPerCommit, Duration time)
      throws IOException, SQLException {
    try (DuckDbFile file = DuckDbFile.open(directory.resolve("bare-" + rowsPerCommit + ".duckdb"));
        Connection connection = file.connect();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE bare (id BIGINT PRIMARY KEY, payload BLOB NOT NULL)");
      connection.setAutoCommit(false);
      try (PreparedStatement insert =
          connection.prepareStatement(
              "INSERT INTO bare VALUES (?, ?)" + ", (?, ?)".repeat(rowsPerCommit - 1))) {
        long warm = bare(connection, insert, rowsPerCommit, 0, time.dividedBy(5));
        long began = System.nanoTime();
        long rows = bare(connection, insert, rowsPerCommit, warm, time) - warm;
        return rows * 1e9 / (System.nanoTime() - began);
      }
    }
  }

  private static long bare(
      Connection connection, PreparedStatement insert, int rows, long first, Duration time)
      throws SQLException {
    byte[] payload = new byte[ROW_BYTES];
    long id = first;
    long end = System.nanoTime() + time.toNanos();
    while (System.nanoTime() < end) {
      for (int i = 0; i < rows; i++) {
        insert.setLong(2 * i + 1, id++);
        insert.setBytes(2 * i + 2, payload);
      }
      insert.executeUpdate();
      connection.commit();
    }
    return id;
  }

  /** What the journal's columns and its two indexes cost: the most that batches could reach. */
  private static double journalRows(Path directory, Duration time)
      throws IOException, SQLException {
    try (DuckDbFile file = DuckDbFile.open(directory.resolve("journal-rows.duckdb"));
        DuckDBConnection connection = file.connect().unwrap(DuckDBConnection.class);
        DuckDBAppender rows = connection.createAppender("event_journal")) {
      connection.setAutoCommit(false);
      long warm = journalRows(connection, rows, 0, time.dividedBy(5));
      long began = System.nanoTime();
      long written = journalRows(connection, rows, warm, time) - warm;
      return written * 1e9 / (System.nanoTime() - began);
    }
  }

  private static long journalRows(
      DuckDBConnection connection, DuckDBAppender rows, long first, Duration time)
      throws SQLException {
    byte[] payload = new byte[PAYLOAD_BYTES];
    long number = first;
    long end = System.nanoTime() + time.toNanos();
    while (System.nanoTime() < end) {
      for (int i = 0; i < 256; i++) {
        number++;
        rows.beginRow();
        rows.append(number); // ordering
        rows.append(false);
        rows.append("ip-allocator");
        rows.append(number);
        rows.append("00000000-0000-0000-0000-000000000000");
        rows.append(number);
        rows.append("");
        rows.append(1_940_019);
        rows.append("address-allocated");
        rows.append(payload);
        rows.appendNull();
        rows.appendNull();
        rows.appendNull();
        rows.endRow();
      }
      rows.flush();
      connection.commit();
    }
    return number;
  }

  private interface Load {
    double rate(AllocationLoad load);
  }

  private static int files;

  private static double allocations(Path directory, Load load) throws IOException {
    Path file = directory.resolve("allocations-" + files++ + ".duckdb");
    try (DurableAllocator allocator = new DurableAllocator(file, SUBNET, change -> {})) {
      return load.rate(new AllocationLoad(allocator));
    }
  }
}
