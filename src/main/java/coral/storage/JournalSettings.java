package coral.storage;

import com.typesafe.config.Config;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the journal's types are called.
 *
 * @param manifests the name of each type in the journal, and its class
 */
record JournalSettings(Map<String, String> manifests) {
  /** From {@code coral.journal}. */
  static JournalSettings from(Config config) {
    Map<String, String> manifests = new TreeMap<>();
    config
        .getObject("coral.journal.manifests")
        .forEach((manifest, name) -> manifests.put(manifest, String.valueOf(name.unwrapped())));
    return new JournalSettings(manifests);
  }
}
