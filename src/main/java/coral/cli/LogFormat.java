package coral.cli;

import java.util.Locale;

/** How log lines look; {@code logback.xml} has one appender for each. */
public enum LogFormat {
  /** For people. */
  PLAIN,
  /** One JSON object a line: time, level, logger, message and, if any, exception. */
  JSON;

  private static final String PROPERTY = "coral.log.format";

  /** Takes effect if called before the first logger is made. */
  static void choose(LogFormat format) {
    System.setProperty(PROPERTY, format.toString());
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
