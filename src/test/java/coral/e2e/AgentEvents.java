package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** What an agent in this process reports, event by event. */
final class AgentEvents {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final LinkedBlockingQueue<JsonNode> events = new LinkedBlockingQueue<>();

  /** Where the agent reports. */
  PrintStream out() {
    return new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8) {
      @Override
      public void println(Object line) {
        try {
          events.add(JSON.readTree(String.valueOf(line)));
        } catch (JsonProcessingException e) {
          throw new AssertionError(e);
        }
      }
    };
  }

  /** The next event of a name. */
  JsonNode await(String name) throws InterruptedException {
    return await(name, event -> true);
  }

  /** The next failure of a kind. */
  JsonNode awaitFailure(String kind) throws InterruptedException {
    return await("failed", event -> event.path("kind").asText().equals(kind));
  }

  private JsonNode await(String name, Predicate<JsonNode> which) throws InterruptedException {
    while (true) {
      JsonNode event = next(name);
      if (isNamed(event, name) && which.test(event)) {
        return event;
      }
      assertFalse(isNamed(event, "stopped"), "no event " + name + " before " + event);
    }
  }

  /** The next event of a name; nothing fails and no ping is lost on the way to it. */
  JsonNode awaitAnswering(String name) throws InterruptedException {
    while (true) {
      JsonNode event = next(name);
      assertFalse(isNamed(event, "failed"), event.toString());
      if (isNamed(event, "probe")) {
        assertFalse(event.get("roundTripIpv4Milliseconds").isNull(), event.toString());
        assertFalse(event.get("roundTripIpv6Milliseconds").isNull(), event.toString());
      }
      if (isNamed(event, name)) {
        return event;
      }
    }
  }

  private JsonNode next(String wanted) throws InterruptedException {
    JsonNode event = events.poll(90, TimeUnit.SECONDS);
    assertNotNull(event, "no event " + wanted);
    return event;
  }

  /** What failed since it was last asked for anything. */
  List<JsonNode> failures() {
    List<JsonNode> happened = new ArrayList<>();
    events.drainTo(happened);
    happened.removeIf(event -> !isNamed(event, "failed"));
    return happened;
  }

  private static boolean isNamed(JsonNode event, String name) {
    return event.path("event").asText().equals(name);
  }
}
