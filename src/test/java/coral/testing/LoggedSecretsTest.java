package coral.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ch.qos.logback.classic.Logger;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class LoggedSecretsTest {
  private static final String SECRET = "coral-sec_" + "x".repeat(43);

  private final Logger logger = (Logger) LoggerFactory.getLogger(LoggedSecretsTest.class);
  private final Queue<String> found = new ConcurrentLinkedQueue<>();
  private final LoggedSecrets.Reader reader = new LoggedSecrets.Reader(found);

  /** To a reader of this test's own, or the run would fail. */
  @BeforeEach
  void read() {
    reader.start();
    logger.setAdditive(false);
    logger.addAppender(reader);
  }

  @AfterEach
  void stop() {
    logger.detachAppender(reader);
    logger.setAdditive(true);
  }

  private void assertFound(String kind) {
    AssertionError failure =
        assertThrows(AssertionError.class, () -> LoggedSecrets.check(found), kind);
    String message = String.valueOf(failure.getMessage());
    assertEquals("logged: " + kind + " by " + logger.getName(), message);
    assertFalse(message.contains(SECRET));
    LoggedSecrets.check(found);
  }

  @Test
  void aLoggedSecretFailsTheRunWithoutBeingRepeated() {
    logger.info("joined with {}", SECRET);
    assertFound("a colony secret");
    logger.warn(
        "refused", new IllegalStateException(new IllegalArgumentException("not " + SECRET)));
    assertFound("a colony secret");
    logger.atInfo().addKeyValue("secret", SECRET).log("joined");
    assertFound("a colony secret");
    logger.info("-----BEGIN EC PRIVATE KEY-----");
    assertFound("a private key");
    logger.info("bearer eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiIxIn0.{}", "s".repeat(43));
    assertFound("a token");
    LoggedSecrets.watch("watched-by-this-test");
    logger.info("the key is watched-by-this-test.");
    assertFound("a watched secret");
  }

  @Test
  void otherLinesAreNotSuspected() {
    logger.info("a colony secret begins with coral-sec_, a certificate with BEGIN CERTIFICATE");
    LoggedSecrets.check(found);
  }

  @Test
  void everyLineOfThisRunIsRead() {
    Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    assertNotNull(root.getAppender(LoggedSecrets.APPENDER));
  }
}
