package coral.testing;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;

/**
 * Reads every line that this process logs, and fails the test class after which one held a secret.
 * Registered for all tests ({@code junit-platform.properties}). Secrets with a form of their own
 * are known by it; others are known once {@link #watch} was told of them.
 */
public final class LoggedSecrets implements BeforeAllCallback, AfterAllCallback {
  static final String APPENDER = "logged-secrets";

  /** The colony secret has 256 bits in base64; a token is a JWS of three parts. */
  private static final Map<String, Pattern> FORMS =
      Map.of(
          "a colony secret", Pattern.compile("coral-sec_[A-Za-z0-9_-]{43}"),
          "a private key", Pattern.compile("-----BEGIN [A-Z ]*PRIVATE KEY-----"),
          "a token", Pattern.compile("eyJ[A-Za-z0-9_-]+\\.eyJ[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]{40}"));

  private static final Set<String> WATCHED = ConcurrentHashMap.newKeySet();
  private static final Queue<String> FOUND = new ConcurrentLinkedQueue<>();

  /** Looks for this text in all lines from now on: a key that looks like any other bytes. */
  public static void watch(String secret) {
    WATCHED.add(secret);
  }

  /** Reads what another process has logged. */
  public static void read(String line, String by) {
    secretsIn(line).forEach(kind -> FOUND.add(kind + " by " + by));
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    if (root.getAppender(APPENDER) == null) {
      Reader reader = new Reader(FOUND);
      reader.setContext(root.getLoggerContext());
      reader.setName(APPENDER);
      reader.start();
      root.addAppender(reader);
    }
  }

  @Override
  public void afterAll(ExtensionContext context) {
    check(FOUND);
  }

  /** Throws if something was found, and forgets it. */
  static void check(Queue<String> found) {
    List<String> all = List.copyOf(found);
    found.removeAll(all);
    if (!all.isEmpty()) {
      throw new AssertionError("logged: " + String.join("; ", all));
    }
  }

  /** What is secret in a text: its kind only. */
  static List<String> secretsIn(String text) {
    List<String> kinds =
        FORMS.entrySet().stream()
            .filter(form -> form.getValue().matcher(text).find())
            .map(Map.Entry::getKey)
            .toList();
    return kinds.isEmpty() && WATCHED.stream().anyMatch(text::contains)
        ? List.of("a watched secret")
        : kinds;
  }

  /** Tells which logger has logged what kind of secret, and not the secret. */
  static final class Reader extends AppenderBase<ILoggingEvent> {
    private final Queue<String> found;

    Reader(Queue<String> found) {
      this.found = found;
    }

    @Override
    protected void append(ILoggingEvent event) {
      String text =
          event.getFormattedMessage()
              + event.getMDCPropertyMap()
              + event.getKeyValuePairs()
              + ThrowableProxyUtil.asString(event.getThrowableProxy());
      secretsIn(text).forEach(kind -> found.add(kind + " by " + event.getLoggerName()));
    }
  }
}
