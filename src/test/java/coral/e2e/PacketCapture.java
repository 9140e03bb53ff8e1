package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.testing.Eventually;
import coral.testing.Requirements;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Every packet on every interface of a network namespace, as tcpdump writes it to a file. */
final class PacketCapture implements AutoCloseable {
  private static final List<Path> PLACES =
      List.of(Path.of("/usr/bin/tcpdump"), Path.of("/usr/sbin/tcpdump"));

  /** A port behind which nobody listens (RFC 863). */
  private static final int DISCARD = 9;

  private static final Pattern CAPTURED = Pattern.compile("(\\d+) packets? captured");
  private static final Pattern DROPPED = Pattern.compile("(\\d+) packets? dropped by kernel");

  private final Place place;
  private final Path file;
  private final ChildProcess tcpdump;

  private PacketCapture(Place place, Path file, ChildProcess tcpdump) {
    this.place = place;
    this.file = file;
    this.tcpdump = tcpdump;
  }

  /** Skips the calling test where tcpdump is not installed. */
  static void assumePossible() {
    Requirements.TCPDUMP.check(
        PLACES.stream().anyMatch(Files::isExecutable),
        "tcpdump is not installed (apt-get install tcpdump)");
  }

  /** How a task gets into the namespace. */
  interface Place {
    <T> T call(Callable<T> task) throws Exception;
  }

  /** Starts it; what comes after the return is in it. */
  static PacketCapture start(Place place, Path file) throws Exception {
    String program =
        PLACES.stream().filter(Files::isExecutable).findFirst().orElseThrow().toString();
    List<String> command = new ArrayList<>(List.of(program, "-i", "any"));
    // Debian's would become another user, who must not write here; and nothing waits in a buffer,
    // which then has a place for each packet: 512 of the longest that a link of tests carries.
    command.addAll(List.of("-Z", "root", "--immediate-mode", "-U", "-s", "65535", "-B", "32768"));
    command.addAll(List.of("-w", file.toString()));
    ChildProcess tcpdump =
        place.call(
            () -> new ChildProcess("tcpdump to " + file, new ProcessBuilder(command).start()));
    tcpdump.await(0, line -> line.contains("listening on"), "tcpdump to listen");
    return new PacketCapture(place, file, tcpdump);
  }

  /** Ends it. Returns how many packets are in the file; none was missed. */
  int stop() throws Exception {
    String last = "the last packet " + UUID.randomUUID();
    byte[] bytes = last.getBytes(StandardCharsets.US_ASCII);
    place.call(
        () -> {
          try (DatagramSocket socket = new DatagramSocket()) {
            InetAddress self = InetAddress.getLoopbackAddress();
            socket.send(new DatagramPacket(bytes, bytes.length, self, DISCARD));
          }
          return null;
        });
    Eventually.holds(() -> assertTrue(content().contains(last), "what was sent is captured"));
    tcpdump.interrupt();
    tcpdump.awaitExit();
    if (number(DROPPED) != 0) {
      throw tcpdump.failure("packets were missed");
    }
    return number(CAPTURED);
  }

  private int number(Pattern pattern) {
    Matcher matcher = pattern.matcher(tcpdump.log());
    if (!matcher.find()) {
      throw tcpdump.failure("expected " + pattern);
    }
    return Integer.parseInt(matcher.group(1));
  }

  /** What is in the file, a character for each byte. */
  String content() throws IOException {
    return Files.readString(file, StandardCharsets.ISO_8859_1);
  }

  /** The name of the file. */
  @Override
  public String toString() {
    return file.getFileName().toString();
  }

  @Override
  public void close() {
    tcpdump.close();
  }
}
