package coral.cli;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.encoder.EncoderBase;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** A log event as one line of JSON with the keys time, level, logger, message and exception. */
public final class JsonLogEncoder extends EncoderBase<ILoggingEvent> {
  private static final byte[] NOTHING = {};

  /** Made by logback, which {@code logback.xml} tells to. */
  public JsonLogEncoder() {}

  @Override
  public byte[] headerBytes() {
    return NOTHING;
  }

  @Override
  public byte[] footerBytes() {
    return NOTHING;
  }

  @Override
  public byte[] encode(ILoggingEvent event) {
    @Nullable IThrowableProxy exception = event.getThrowableProxy();
    String line =
        Json.object(
            json -> {
              json.put("time", event.getInstant());
              json.put("level", event.getLevel().toString());
              json.put("logger", event.getLoggerName());
              json.put("message", event.getFormattedMessage());
              if (exception != null) {
                json.put("exception", ThrowableProxyUtil.asString(exception));
              }
            });
    return (line + "\n").getBytes(StandardCharsets.UTF_8);
  }
}
