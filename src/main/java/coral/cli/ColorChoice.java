package coral.cli;

import java.util.Locale;

/** When answers have colours. */
public enum ColorChoice {
  /** On a terminal that has colours, unless {@code NO_COLOR} is set (no-color.org). */
  AUTO,
  ALWAYS,
  NEVER;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
