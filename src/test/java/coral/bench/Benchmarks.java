package coral.bench;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/**
 * Measures what a colony does, on the machine as it is, and prints one table. Arguments: the
 * seconds of each measurement of a rate (5), then the names of parts (all). With {@code
 * -Dcoral.bench.log=true} the logs of started colonies and what fills their heaps are printed too,
 * and what is logged in this process.
 */
public final class Benchmarks {
  private static final long DEFAULT_SECONDS = 5;

  private Benchmarks() {}

  /** Prints the table line by line, as it is measured. */
  public static void main(String[] arguments) throws Exception {
    Map<String, Benchmark> parts = new LinkedHashMap<>();
    parts.put("allocation", new AllocationBenchmark());
    parts.put("register", new RegisterBenchmark());
    parts.put("join", new JoinBenchmark());
    parts.put("start", new StartBenchmark());
    parts.put("memory", new SessionMemoryBenchmark());
    parts.put("tokens", new TokenBenchmark());
    parts.put("certificates", new CertificateBenchmark());
    parts.put("handshakes", new HandshakeBenchmark());
    parts.put("enrolment", new EnrolmentBenchmark());
    parts.put("proxy", new ProxyBenchmark());

    List<String> rest = List.of(arguments);
    long seconds = DEFAULT_SECONDS;
    if (!rest.isEmpty() && rest.get(0).matches("[1-9][0-9]{0,3}")) {
      seconds = Long.parseLong(rest.get(0));
      rest = rest.subList(1, rest.size());
    }
    for (String name : rest) {
      if (!parts.containsKey(name)) {
        System.err.println("There is no part " + name + ", only " + parts.keySet());
        System.exit(2);
      }
    }
    if (!Boolean.getBoolean("coral.bench.log")) {
      ((Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME)).setLevel(Level.WARN);
    }
    System.out.printf(
        "%d processors, %s %s; load average before and after each part%n",
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("java.vm.name"),
        System.getProperty("java.version"));
    boolean all = rest.isEmpty();
    for (Map.Entry<String, Benchmark> part : parts.entrySet()) {
      if (all || rest.contains(part.getKey())) {
        double before = load();
        List<Measurement> lines = inDirectory(part.getValue(), Duration.ofSeconds(seconds));
        System.out.printf("%n%s (load %.1f, %.1f)%n", part.getKey(), before, load());
        lines.forEach(line -> System.out.println("  " + line));
      }
    }
    System.exit(0); // whatever the clients of the last part still have open
  }

  private static double load() {
    return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
  }

  private static List<Measurement> inDirectory(Benchmark part, Duration time) throws Exception {
    Path directory = Files.createTempDirectory("coral-bench-");
    try {
      return part.run(directory, time);
    } finally {
      delete(directory);
    }
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }
}
