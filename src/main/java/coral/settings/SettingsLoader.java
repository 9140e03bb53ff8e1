package coral.settings;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigResolveOptions;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Puts the configuration together: the defaults of {@code application.conf}, over them the file
 * that the user names, over both the {@code CORAL_*} environment variables that {@code
 * application.conf} mentions.
 */
public final class SettingsLoader {
  /** A variable as {@code application.conf} mentions it: {@code key = ${?CORAL_KEY}}. */
  private static final Pattern VARIABLE = Pattern.compile("\\$\\{\\?(CORAL_[A-Z0-9_]+)}");

  private static final String MARK = "\u0000";

  /** Below a key of this name stands what Pekko reads: its keys are Pekko's. */
  private static final Pattern OPEN_SECTION = Pattern.compile(".*\\.actor-system(\\..*)?");

  private SettingsLoader() {}

  /**
   * Loads the configuration of this process.
   *
   * @param file laid over the defaults
   * @return the whole configuration, resolved
   * @throws SettingsException if the file cannot be read or has a key under {@code coral} that no
   *     setting has
   */
  public static Config load(Optional<Path> file) {
    return load(file, System.getenv());
  }

  /**
   * As above, with several files.
   *
   * @param files each laid over those after it
   */
  public static Config load(List<Path> files) {
    return load(files, System.getenv());
  }

  static Config load(Optional<Path> file, Map<String, String> environment) {
    return load(file.stream().toList(), environment);
  }

  private static Config load(List<Path> files, Map<String, String> environment) {
    Config defaults =
        ConfigFactory.defaultOverrides()
            .withFallback(ConfigFactory.parseResourcesAnySyntax("application"))
            .withFallback(ConfigFactory.defaultReferenceUnresolved());
    // HOCON lets the file win over a substitution in the defaults. To let the environment win over
    // the file, the defaults are resolved once with marks in place of the variables: what then
    // holds
    // a mark is what the environment decides.
    String text = defaults.root().render(ConfigRenderOptions.concise());
    Map<String, String> marks =
        VARIABLE
            .matcher(text)
            .results()
            .map(found -> found.group(1))
            .distinct()
            .collect(Collectors.toMap(name -> name, name -> MARK + name + MARK));
    Config marked = resolve(defaults, marks);
    Map<String, String> set = new HashMap<>(environment);
    set.keySet().retainAll(marks.keySet());

    Config overlay = ConfigFactory.empty();
    for (Path file : files) {
      Config parsed = parse(file);
      refuseUnknownKeys(file, parsed, marked);
      overlay = overlay.withFallback(parsed);
    }
    Config fromEnvironment = fromEnvironment(marked, resolve(defaults, set), set);
    try {
      return resolve(fromEnvironment.withFallback(overlay).withFallback(defaults), set);
    } catch (ConfigException e) {
      throw new SettingsException("the settings cannot be resolved: " + e.getMessage(), e);
    }
  }

  private static Config resolve(Config config, Map<String, String> variables) {
    Config resolved =
        config
            .withFallback(ConfigFactory.parseMap(variables))
            .resolve(ConfigResolveOptions.noSystem());
    for (String name : variables.keySet()) {
      resolved = resolved.withoutPath(name);
    }
    return resolved;
  }

  private static Config parse(Path file) {
    if (!Files.isReadable(file) || Files.isDirectory(file)) {
      throw new SettingsException("the settings file " + file + " cannot be read");
    }
    try {
      return ConfigFactory.parseFile(
          file.toFile(), ConfigParseOptions.defaults().setAllowMissing(false));
    } catch (ConfigException e) {
      throw new SettingsException("the settings file is not HOCON: " + e.getMessage(), e);
    }
  }

  private static void refuseUnknownKeys(Path file, Config overlay, Config known) {
    for (String key : leaves(overlay).keySet()) {
      if (!key.startsWith("coral.") || OPEN_SECTION.matcher(key).matches()) {
        continue;
      }
      if (!known.hasPathOrNull(key)) {
        throw new SettingsException(file + ": unknown setting " + key);
      }
      if (!known.getIsNull(key) && known.getValue(key).valueType() == ConfigValueType.OBJECT) {
        throw new SettingsException(file + ": " + key + " is a section: expected { ... }");
      }
    }
  }

  private static Config fromEnvironment(Config marked, Config actual, Map<String, String> set) {
    Config result = ConfigFactory.empty();
    for (Map.Entry<String, ConfigValue> leaf : leaves(marked).entrySet()) {
      // Not what merely holds a mark: that is a default made of another key, and follows it.
      boolean decided =
          leaf.getValue().unwrapped() instanceof String text
              && set.keySet().stream().anyMatch(name -> text.equals(MARK + name + MARK));
      if (decided && actual.hasPath(leaf.getKey())) {
        result = result.withValue(leaf.getKey(), actual.getValue(leaf.getKey()));
      }
    }
    return result;
  }

  /** Every value that is not a section, by its path; what is not resolved yet is left out. */
  private static Map<String, ConfigValue> leaves(Config config) {
    Map<String, ConfigValue> leaves = new HashMap<>();
    collect("", config.root(), leaves);
    return leaves;
  }

  private static void collect(
      String prefix, ConfigObject section, Map<String, ConfigValue> leaves) {
    section.forEach(
        (name, value) -> {
          String path = prefix + ConfigUtil.joinPath(name);
          if (value instanceof ConfigObject child) {
            collect(path + ".", child, leaves);
          } else {
            leaves.put(path, value);
          }
        });
  }
}
