package coral.cli;

import java.util.Locale;

/** How an answer is written to standard output. */
public enum OutputFormat {
  /** Aligned columns, for people. */
  TABLE,
  /** One JSON object, for programs. */
  JSON;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
