package coral.colony;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.LoggerFactory;

/** The lines of the audit log of this process, while it is open. */
final class AuditLog extends AppenderBase<ILoggingEvent> implements AutoCloseable {
  private final List<String> lines = new CopyOnWriteArrayList<>();

  AuditLog() {
    start();
    ((Logger) LoggerFactory.getLogger("coral.audit")).addAppender(this);
  }

  @Override
  protected void append(ILoggingEvent event) {
    lines.add(event.getFormattedMessage());
  }

  boolean contains(String text) {
    return lines.stream().anyMatch(line -> line.contains(text));
  }

  @Override
  public void close() {
    ((Logger) LoggerFactory.getLogger("coral.audit")).detachAppender(this);
  }

  @Override
  public String toString() {
    return lines.toString();
  }
}
