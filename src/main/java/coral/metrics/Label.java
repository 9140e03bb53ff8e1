package coral.metrics;

import java.util.Locale;

/**
 * What tells numbers of one name apart.
 *
 * @param name as Prometheus wants it: letters and underscores
 * @param value one of few that are known before
 */
public record Label(String name, String value) {
  /** A label of which an enum has all values: {@code NOT_FOUND} is written {@code not-found}. */
  public static Label of(String name, Enum<?> value) {
    return new Label(name, value.toString().toLowerCase(Locale.ROOT).replace('_', '-'));
  }
}
