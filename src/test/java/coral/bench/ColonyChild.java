package coral.bench;

import coral.certificate.AuthoritySettings;
import coral.colony.ColonyFiles;
import coral.model.ColonyId;
import coral.model.Endpoint;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A colony in a process of its own, started as {@code coral colony start} starts it, on loopback,
 * with the hub's end of the tunnels in user space.
 */
final class ColonyChild implements AutoCloseable {
  private static final Duration START_TIMEOUT = Duration.ofMinutes(3);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(20);
  private static final Duration POLL = Duration.ofMillis(5);

  /** How many kinds of objects are printed if asked for. */
  private static final int HISTOGRAM_LINES = 40;

  /** The last line of {@code jcmd GC.class_histogram}: instances, then bytes. */
  private static final Pattern TOTAL = Pattern.compile("(?m)^Total +\\d+ +(\\d+)");

  private final ColonyFiles.Created colony;
  private final Process process;
  private final Endpoint endpoint;
  private final Duration startTime;

  private ColonyChild(
      ColonyFiles.Created colony, Process process, Endpoint endpoint, Duration startTime) {
    this.colony = colony;
    this.process = process;
    this.endpoint = endpoint;
    this.startTime = startTime;
  }

  /** Makes a colony in a subdirectory. */
  static ColonyFiles.Created create(Path directory) throws IOException {
    return ColonyFiles.createIn(
        directory.resolve("colony"),
        new ColonyId("bench-test-a1b2c3"),
        "bench",
        "test",
        AuthoritySettings.defaults(),
        InstantSource.system());
  }

  /** Starts a colony and waits until {@code /ready} says so. */
  static ColonyChild start(ColonyFiles.Created colony) throws IOException, InterruptedException {
    int port = freePort();
    int management = freePort();
    Path log = colony.directory().resolve("log");
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            // What the launcher script gives to a colony.
            "-XX:+UseG1GC",
            "-Xmx1g",
            "-Djava.io.tmpdir=" + Files.createDirectories(colony.directory().resolve("tmp")),
            "-cp",
            System.getProperty("java.class.path"),
            "coral.Main",
            "colony",
            "start",
            "--config",
            colony.settingsFile().toString());
    builder
        .environment()
        .putAll(
            Map.of(
                "CORAL_HOME",
                colony.directory().toString(),
                "CORAL_COLONY_HOST",
                "127.0.0.1",
                "CORAL_COLONY_PORT",
                Integer.toString(port),
                "CORAL_COLONY_DEVICE",
                "user-space",
                "CORAL_WIREGUARD_PORT",
                "0",
                "CORAL_MANAGEMENT_PORT",
                Integer.toString(management)));
    builder.redirectErrorStream(true).redirectOutput(log.toFile());
    long began = System.nanoTime();
    Process process = builder.start();
    while (!isReady(management)) {
      if (process.waitFor(POLL.toMillis(), TimeUnit.MILLISECONDS)
          || System.nanoTime() - began > START_TIMEOUT.toNanos()) {
        process.destroyForcibly();
        throw new IOException("the colony did not start:\n" + Files.readString(log));
      }
    }
    Duration took = Duration.ofNanos(System.nanoTime() - began);
    return new ColonyChild(colony, process, new Endpoint("127.0.0.1", port), took);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static boolean isReady(int managementPort) {
    try {
      HttpURLConnection connection =
          (HttpURLConnection)
              URI.create("http://127.0.0.1:" + managementPort + "/ready").toURL().openConnection();
      return connection.getResponseCode() == 200;
    } catch (IOException e) {
      return false; // nobody listens yet
    }
  }

  ColonyFiles.Created colony() {
    return colony;
  }

  Endpoint endpoint() {
    return endpoint;
  }

  /** From the start of the process to {@code /ready}. */
  Duration startTime() {
    return startTime;
  }

  /** What the colony logged. */
  String log() throws IOException {
    return Files.readString(colony.directory().resolve("log"));
  }

  /** Bytes of the objects that are left on its heap after a full collection. */
  long liveHeapBytes() throws IOException, InterruptedException {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
            Long.toString(process.pid()),
            "GC.class_histogram");
    Process jcmd = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    Matcher total = TOTAL.matcher(output);
    if (jcmd.waitFor() != 0 || !total.find()) {
      throw new IOException("jcmd failed: " + output);
    }
    if (Boolean.getBoolean("coral.bench.log")) {
      output.lines().limit(HISTOGRAM_LINES).forEach(System.out::println);
    }
    return Long.parseLong(total.group(1));
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(STOP_TIMEOUT.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
