package coral.colony;

import static org.junit.jupiter.api.Assertions.fail;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.LoggerFactory;

/** The lines that this process logs, while this is open. */
final class LogLines extends AppenderBase<ILoggingEvent> implements AutoCloseable {
  private final Logger logger;
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

  LogLines() {
    logger = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    start();
    logger.addAppender(this);
  }

  @Override
  protected void append(ILoggingEvent event) {
    lines.add(event.getFormattedMessage());
  }

  /** Waits for a line with this text, and does something while there is none. */
  void awaitLine(String text, Runnable meanwhile) throws InterruptedException {
    for (int i = 0; i < 200; i++) {
      meanwhile.run();
      String line = lines.poll(100, TimeUnit.MILLISECONDS);
      while (line != null) {
        if (line.contains(text)) {
          return;
        }
        line = lines.poll();
      }
    }
    fail("no line with '" + text + "'");
  }

  @Override
  public void close() {
    logger.detachAppender(this);
  }
}
