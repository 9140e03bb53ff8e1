package coral.cli.quickstart;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Reads what an agent reports with {@code -o json}: one object a line. */
final class AgentEvents {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final double NANOS_PER_MILLISECOND = 1e6;
  private static final double NANOS_PER_SECOND = 1e9;

  private final InstantSource clock;
  private final CompletableFuture<AgentReport> joined = new CompletableFuture<>();

  AgentEvents(InstantSource clock) {
    this.clock = clock;
  }

  /** Completes at the agent's first join; fails if the agent ends before. */
  CompletableFuture<AgentReport> joined() {
    return joined;
  }

  /** The agent's process is gone. */
  void ended(String agent) {
    joined.completeExceptionally(new IllegalStateException(agent + " ended"));
  }

  /** Takes a line; what is not a report is left to the log. */
  void accept(String line) {
    JsonNode event;
    try {
      event = MAPPER.readTree(line);
    } catch (JsonProcessingException e) {
      return;
    }
    if (event.path("event").asText().equals("joined")) {
      joined.complete(report(event));
    }
  }

  private AgentReport report(JsonNode event) {
    return new AgentReport(
        event.path("agentId").asText(),
        event.path("ipv4").asText(),
        event.path("ipv6").asText(),
        event.path("certificateSerial").asText(),
        milliseconds(event.path("joinMilliseconds")),
        handshake(event.path("handshakeAgeSeconds")),
        milliseconds(event.path("roundTripIpv4Milliseconds")),
        milliseconds(event.path("roundTripIpv6Milliseconds")));
  }

  private static Optional<Duration> milliseconds(JsonNode node) {
    return node.isNumber()
        ? Optional.of(Duration.ofNanos((long) (node.asDouble() * NANOS_PER_MILLISECOND)))
        : Optional.empty();
  }

  private Optional<Instant> handshake(JsonNode age) {
    return age.isNumber()
        ? Optional.of(clock.instant().minusNanos((long) (age.asDouble() * NANOS_PER_SECOND)))
        : Optional.empty();
  }
}
