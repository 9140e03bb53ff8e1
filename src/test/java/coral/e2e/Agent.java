package coral.e2e;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import coral.model.IpPrefix;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/**
 * An agent in its own process.
 *
 * @param host number of its namespace
 */
record Agent(String id, int host, ChildProcess process) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What an agent reports when it has joined. */
  record Membership(
      InetAddress ipv4,
      InetAddress ipv6,
      String certificateSerial,
      boolean isProbed,
      InetAddress colonyIpv4,
      InetAddress colonyIpv6) {
    List<InetAddress> addresses() {
      return List.of(ipv4, ipv6);
    }

    List<InetAddress> colony() {
      return List.of(colonyIpv4, colonyIpv6);
    }
  }

  /** Waits until it has joined, after the mark. */
  Membership awaitJoined(int mark) throws InterruptedException {
    JsonNode event =
        event(process.await(mark, line -> isEvent(line, "joined"), "the event joined"))
            .orElseThrow();
    return new Membership(
        address(event, "ipv4"),
        address(event, "ipv6"),
        event.path("certificateSerial").asText(),
        event.path("roundTripIpv4Milliseconds").isNumber()
            && event.path("roundTripIpv6Milliseconds").isNumber(),
        address(event, "colonyIpv4"),
        address(event, "colonyIpv6"));
  }

  /** Waits until a failure of a kind is reported, after the mark. */
  void awaitFailure(int mark, String kind) throws InterruptedException {
    process.await(
        mark,
        line ->
            event(line)
                .filter(event -> event.path("event").asText().equals("failed"))
                .filter(event -> event.path("kind").asText().equals(kind))
                .isPresent(),
        "a failure " + kind);
  }

  /** Whether it has joined, or joined again, after the mark. */
  boolean hasJoined(int mark) {
    return process.linesSince(mark).stream().anyMatch(line -> isEvent(line, "joined"));
  }

  private static InetAddress address(JsonNode event, String field) {
    return IpPrefix.parseAddress(event.path(field).asText());
  }

  private static boolean isEvent(String line, String name) {
    return event(line).filter(event -> event.path("event").asText().equals(name)).isPresent();
  }

  private static Optional<JsonNode> event(String line) {
    if (!line.startsWith("{")) {
      return Optional.empty(); // of the log
    }
    try {
      return Optional.of(JSON.readTree(line));
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }
}
