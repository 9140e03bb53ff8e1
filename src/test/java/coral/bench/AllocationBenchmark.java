package coral.bench;

import coral.address.Allocation;
import coral.address.DurableAllocator;
import coral.address.IpAllocator;
import coral.model.MeshSubnet;
import coral.model.WireGuardKey;
import coral.storage.DuckDbFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;

/** Durable allocations per second beside the bare commits of the same file, and start-up times. */
public final class AllocationBenchmark {
  /** Room for all that the benchmark allocates. */
  private static final MeshSubnet SUBNET = MeshSubnet.parse("10.0.0.0/8", "fd42::/64");

  /** One line of the table. */
  public record Row(String what, double value, String unit) {
    @Override
    public String toString() {
      return "%-58s %,10.0f %s".formatted(what, value, unit);
    }
  }

  private final Duration time;

  private AllocationBenchmark(Duration time) {
    this.time = time;
  }

  /** Prints the table; the argument is the seconds of each measurement, 5 if there is none. */
  public static void main(String[] arguments) throws Exception {
    long seconds = arguments.length > 0 ? Long.parseLong(arguments[0]) : 5;
    rows(Duration.ofSeconds(seconds)).forEach(System.out::println);
  }

  /**
   * Measures.
   *
   * @param time of each of six measurements, of which three are warmed up for as long
   */
  public static List<Row> rows(Duration time)
      throws IOException, SQLException, InterruptedException {
    return new AllocationBenchmark(time).measure();
  }

  private List<Row> measure() throws IOException, SQLException, InterruptedException {
    Path directory = Files.createTempDirectory("coral-bench-");
    try {
      List<Row> rows = new ArrayList<>();
      rows.add(new Row("bare commits of 1 row", bareRows(directory, 1), "/s"));
      rows.add(new Row("bare rows in commits of 256", bareRows(directory, 256), "/s"));
      rows.addAll(allocations(directory));
      rows.addAll(starts(directory));
      return rows;
    } finally {
      try (Stream<Path> all = Files.walk(directory)) {
        for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(each);
        }
      }
    }
  }

  /** The floor: what a loop of plain JDBC reaches with rows of the journal's size. */
  private double bareRows(Path directory, int rowsPerCommit) throws IOException, SQLException {
    try (DuckDbFile file = DuckDbFile.open(directory.resolve("bare-" + rowsPerCommit + ".duckdb"));
        Connection connection = file.connect();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE bare (id BIGINT PRIMARY KEY, payload BLOB NOT NULL)");
      connection.setAutoCommit(false);
      byte[] payload = new byte[190];
      try (PreparedStatement insert =
          connection.prepareStatement(
              "INSERT INTO bare VALUES (?, ?)" + ", (?, ?)".repeat(rowsPerCommit - 1))) {
        long id = 0;
        long first = 0;
        long started = System.nanoTime();
        long measuredFrom = started + time.toNanos() / 5;
        long end = measuredFrom + time.toNanos();
        long begun = 0;
        while (System.nanoTime() < end) {
          if (begun == 0 && System.nanoTime() >= measuredFrom) {
            begun = System.nanoTime();
            first = id;
          }
          for (int i = 0; i < rowsPerCommit; i++) {
            insert.setLong(2 * i + 1, id++);
            insert.setBytes(2 * i + 2, payload);
          }
          insert.executeUpdate();
          connection.commit();
        }
        return (id - first) * 1e9 / (System.nanoTime() - begun);
      }
    }
  }

  private List<Row> allocations(Path directory) throws IOException, InterruptedException {
    List<Row> rows = new ArrayList<>();
    try (DurableAllocator allocator =
        new DurableAllocator(directory.resolve("allocations.duckdb"), SUBNET)) {
      Load load = new Load(allocator);
      load.oneByOne(256, time);
      for (int inFlight : List.of(1, 64, 256)) {
        rows.add(
            new Row(
                "allocations one by one, " + inFlight + " in flight",
                load.oneByOne(inFlight, time),
                "/s"));
      }
      load.inBatches(256, time);
      rows.add(new Row("allocations in batches of 256", load.inBatches(256, time), "/s"));
    }
    return rows;
  }

  private static List<Row> starts(Path directory) throws IOException, InterruptedException {
    Path empty = directory.resolve("empty.duckdb");
    Path full = directory.resolve("full.duckdb");
    new DurableAllocator(empty, SUBNET).close();
    try (DurableAllocator allocator = new DurableAllocator(full, SUBNET)) {
      new Load(allocator).count(65_000);
    }
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      rows.add(new Row("start to recovered, 0 allocations", start(empty), "ms"));
      rows.add(new Row("start to recovered, 65,000 allocations", start(full), "ms"));
    }
    return rows;
  }

  private static double start(Path path) throws IOException {
    long started = System.nanoTime();
    try (DurableAllocator allocator = new DurableAllocator(path, SUBNET)) {
      IpAllocator.Reply reply = allocator.get(IpAllocator.GetUsage::new);
      if (!(reply instanceof IpAllocator.Usage)) {
        throw new IllegalStateException(reply.toString());
      }
      return (System.nanoTime() - started) / 1e6;
    }
  }

  /** Offers allocations of new agents; any answer but an allocation ends the benchmark. */
  private static final class Load {
    private final DurableAllocator allocator;
    private int next;

    Load(DurableAllocator allocator) {
      this.allocator = allocator;
    }

    private CompletableFuture<IpAllocator.Reply> allocate() {
      int number = next++;
      WireGuardKey key =
          WireGuardKey.of(ByteBuffer.allocate(32).putInt(0, 1).putInt(28, number).array());
      return allocator
          .allocate("agent-" + number, key, "request-" + number)
          .thenApply(
              reply -> {
                if (!(reply instanceof Allocation)) {
                  throw new IllegalStateException(reply.toString());
                }
                return reply;
              });
    }

    double oneByOne(int inFlight, Duration time) throws InterruptedException {
      Semaphore free = new Semaphore(inFlight);
      List<Throwable> failures = new CopyOnWriteArrayList<>();
      long started = System.nanoTime();
      int first = next;
      while (System.nanoTime() - started < time.toNanos() && failures.isEmpty()) {
        free.acquire();
        var unused =
            allocate()
                .whenComplete(
                    (reply, failure) -> {
                      if (failure != null) {
                        failures.add(failure);
                      }
                      free.release();
                    });
      }
      free.acquire(inFlight);
      failures.forEach(
          failure -> {
            throw new IllegalStateException(failure);
          });
      return (next - first) * 1e9 / (System.nanoTime() - started);
    }

    double inBatches(int size, Duration time) {
      long started = System.nanoTime();
      int first = next;
      while (System.nanoTime() - started < time.toNanos()) {
        batch(size);
      }
      return (next - first) * 1e9 / (System.nanoTime() - started);
    }

    void count(int allocations) {
      for (int done = 0; done < allocations; done += 500) {
        batch(Math.min(500, allocations - done));
      }
    }

    private void batch(int size) {
      CompletableFuture<?>[] all =
          Stream.generate(this::allocate).limit(size).toArray(CompletableFuture<?>[]::new);
      CompletableFuture.allOf(all).join();
    }
  }
}
