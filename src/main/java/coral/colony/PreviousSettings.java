package coral.colony;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigValueFactory;
import coral.files.SecureFiles;
import coral.model.AuditEvent;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The settings that a colony started with, kept in a file, for the next start to tell what was
 * changed meanwhile. Of a secret it is kept whether there is one and nothing else: a hash would let
 * whoever has the file try passphrases faster than the key that they encrypt does.
 */
final class PreviousSettings {
  private static final String SECTION = "coral.colony";

  /** How the parts of the actor system are set up is no decision of whoever runs a colony. */
  private static final String ACTOR_SYSTEM = "actor-system";

  private static final String SECRET = "passphrase";
  private static final String IS_SET = "(hidden)";
  private static final String NOT_SET = "(not set)";

  private final Path file;

  PreviousSettings(Path file) {
    this.file = file;
  }

  /**
   * What these settings are other than those that were kept last; nothing at the first start.
   *
   * @throws IOException naming the file if it cannot be read
   */
  List<AuditEvent> changes(Config config) throws IOException {
    Optional<Map<String, String>> before = read();
    if (before.isEmpty()) {
      return List.of();
    }
    Map<String, String> now = values(config);
    TreeSet<String> names = new TreeSet<>(before.get().keySet());
    names.addAll(now.keySet());
    List<AuditEvent> changes = new ArrayList<>();
    for (String name : names) {
      String from = before.get().getOrDefault(name, NOT_SET);
      String to = now.getOrDefault(name, NOT_SET);
      if (!from.equals(to)) {
        changes.add(
            AuditEvent.of(AuditEvent.Kind.CONFIGURATION_CHANGED)
                .detail(SECTION + "." + name + ": " + from + " -> " + to));
      }
    }
    return changes;
  }

  /**
   * Keeps these settings for the next start.
   *
   * @throws IOException naming the file if it cannot be written
   */
  void keep(Config config) throws IOException {
    String text = ConfigValueFactory.fromMap(values(config)).render(ConfigRenderOptions.concise());
    SecureFiles.write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  private Optional<Map<String, String>> read() throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    String text = new String(SecureFiles.readPrivate(file), StandardCharsets.UTF_8);
    try {
      Map<String, String> values = new TreeMap<>();
      ConfigFactory.parseString(text)
          .root()
          .unwrapped()
          .forEach((name, value) -> values.put(name, Objects.toString(value)));
      return Optional.of(values);
    } catch (ConfigException e) {
      throw new IOException(file + " is not what the last start wrote: remove it", e);
    }
  }

  private static Map<String, String> values(Config config) {
    Map<String, String> values = new TreeMap<>();
    config
        .getConfig(SECTION)
        .withoutPath(ACTOR_SYSTEM)
        .entrySet()
        .forEach(
            entry -> {
              String value = entry.getValue().render(ConfigRenderOptions.concise());
              values.put(entry.getKey(), isSecret(entry.getKey()) ? hidden(value) : value);
            });
    return values;
  }

  private static boolean isSecret(String name) {
    return name.equals(SECRET) || name.endsWith("." + SECRET);
  }

  private static String hidden(String value) {
    return value.equals("\"\"") ? value : IS_SET;
  }
}
