package coral.discovery;

import coral.settings.SettingsException;
import coral.settings.SettingsReader;
import java.time.Duration;

/**
 * How often what may be asked of a discovery service; each is described in {@code discovery.conf}.
 *
 * @param lookups of what everybody may know, by one source
 * @param wrongSecretWeighs as how many requests a wrong secret counts against its source
 */
record LimitSettings(
    Limit lookups,
    Limit source,
    int wrongSecretWeighs,
    Limit newColonies,
    Limit comparisonsOfColony,
    Limit comparisons,
    Limit tokensOfAgent,
    Limit tokensOfColony,
    Limit tokens) {
  /**
   * A rate.
   *
   * @param burst how often in a row
   * @param interval then once more in each such time
   */
  record Limit(int burst, Duration interval) {}

  /**
   * Binds the settings.
   *
   * @throws SettingsException naming a key whose value is wrong
   */
  static LimitSettings from(SettingsReader discovery) {
    SettingsReader limits = discovery.at("limits");
    return new LimitSettings(
        limit(limits.at("lookups")),
        limit(limits.at("source")),
        limits.integer("wrong-secret-weighs", 1, 10_000),
        limit(discovery.at("new-colonies")),
        limit(limits.at("comparisons-of-colony")),
        limit(limits.at("comparisons")),
        limit(limits.at("tokens-of-agent")),
        limit(limits.at("tokens-of-colony")),
        limit(limits.at("tokens")));
  }

  private static Limit limit(SettingsReader reader) {
    return new Limit(
        reader.integer("burst", 1, 1_000_000),
        reader.duration("interval", Duration.ofNanos(1000), Duration.ofDays(3650)));
  }
}
