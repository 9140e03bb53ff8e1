package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class JsonLogEncoderTest {
  private static String encode(String message, @Nullable Throwable exception) {
    LoggingEvent event =
        new LoggingEvent(
            "fqcn",
            new LoggerContext().getLogger("coral.some.Logger"),
            Level.WARN,
            message,
            exception,
            new Object[0]);
    event.setInstant(Instant.parse("2030-01-02T03:04:05.006Z"));
    return new String(new JsonLogEncoder().encode(event), StandardCharsets.UTF_8);
  }

  @Test
  void anEventIsOneLineWithTimeLevelLoggerAndMessage() {
    assertEquals(
        "{\"time\":\"2030-01-02T03:04:05.006Z\",\"level\":\"WARN\",\"logger\":\"coral.some.Logger\",\"message\":\"two\\n"
            + "lines\"}\n",
        encode("two\nlines", null));
  }

  @Test
  void anExceptionStaysOnTheLine() throws IOException {
    String line = encode("failed", new IOException("disk \"full\""));
    assertEquals(line.length() - 1, line.indexOf('\n'));
    JsonNode json = new ObjectMapper().readTree(line);
    String exception = json.get("exception").asText();
    assertTrue(exception.startsWith("java.io.IOException: disk \"full\""), exception);
    assertTrue(exception.contains("JsonLogEncoderTest"), exception);
    assertFalse(new ObjectMapper().readTree(encode("fine", null)).has("exception"));
  }
}
