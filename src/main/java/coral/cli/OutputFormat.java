package coral.cli;

import java.util.Locale;

/** How an answer is written to standard output. */
public enum OutputFormat {
  /** Aligned columns, for people. */
  TABLE,
  /** One JSON object, for programs. */
  JSON,
  /** The same object in YAML 1.1, for programs that people read over the shoulder. */
  YAML;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether programs read it. */
  public boolean isStructured() {
    return this != TABLE;
  }

  /**
   * The only answer of a command, in this form.
   *
   * @param json one object, without a line feed
   * @return with a line feed at its end
   */
  public String document(String json) {
    return this == YAML ? Yaml.of(json) : json + "\n";
  }

  /**
   * One of several answers: a line of JSON, or a document of a YAML stream.
   *
   * @param json one object, without a line feed
   * @return with a line feed at its end
   */
  String event(String json) {
    return this == YAML ? "---\n" + Yaml.of(json) : json + "\n";
  }
}
