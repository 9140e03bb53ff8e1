package coral.bench;

import coral.address.DurableAllocator;
import coral.colony.ColonyFiles;
import coral.model.MeshSubnet;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * From the start of a colony's process to {@code /ready}, without addresses and with 65,000 in its
 * journal. No archive of classes, which the launcher script has, is used.
 */
final class StartBenchmark implements Benchmark {
  private static final MeshSubnet SUBNET = MeshSubnet.parse("10.42.0.0/16", "fd42::/64");
  private static final int ALLOCATIONS = 65_000;
  private static final int STARTS = 3;
  private static final double AIM_ADDED_MILLISECONDS = 1_500;

  @Override
  public List<Measurement> run(Path directory, Duration time)
      throws IOException, InterruptedException {
    ColonyFiles.Created empty = ColonyChild.create(directory.resolve("empty"));
    ColonyFiles.Created full = ColonyChild.create(directory.resolve("full"));
    Path database = full.directory().resolve("colony.duckdb");
    try (DurableAllocator allocator = new DurableAllocator(database, SUBNET, change -> {})) {
      new AllocationLoad(allocator).count(ALLOCATIONS);
    }
    start(empty); // unpacks libraries, warms the disk's cache
    double rebuilding = start(full);
    List<Double> without = new ArrayList<>();
    List<Double> with = new ArrayList<>();
    for (int i = 0; i < STARTS; i++) {
      without.add(start(empty));
      with.add(start(full));
    }
    double base = median(without);
    return List.of(
        Measurement.of("start to ready, 0 allocations, median of " + STARTS, base, "ms"),
        Measurement.of("start to ready, 65,000 allocations", median(with), "ms"),
        Measurement.of("  added by 65,000 allocations", median(with) - base, "ms")
            .atMost(AIM_ADDED_MILLISECONDS),
        Measurement.of("  added when the tables are rebuilt as well", rebuilding - base, "ms"));
  }

  private static double start(ColonyFiles.Created colony) throws IOException, InterruptedException {
    try (ColonyChild child = ColonyChild.start(colony)) {
      if (Boolean.getBoolean("coral.bench.log")) {
        System.out.println(child.log());
      }
      return child.startTime().toNanos() / 1e6;
    }
  }

  private static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    return sorted.get(sorted.size() / 2);
  }
}
