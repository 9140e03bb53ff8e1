package coral.settings;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigValueType;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import coral.model.IpPrefix;
import coral.model.Secret;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads the values below one path of a configuration. Every method throws {@link SettingsException}
 * when the value is missing or wrong, naming the key, the value (unless it is a secret) and what
 * was expected.
 *
 * <p>An {@code optional...} method answers empty when the key is absent, null, or an empty string:
 * an environment variable can be set, but not unset, by most tools that deploy.
 */
public final class SettingsReader {
  private final Config root;
  private final String path;

  private SettingsReader(Config root, String path) {
    this.root = root;
    this.path = path;
  }

  /**
   * A reader of the keys below {@code path}, such as {@code coral.discovery}.
   *
   * @param root the whole configuration, resolved
   */
  public static SettingsReader of(Config root, String path) {
    return new SettingsReader(root, path);
  }

  /** A reader of the keys below {@code key}. */
  public SettingsReader at(String key) {
    return new SettingsReader(root, full(key));
  }

  /** Whether the key has a value that is not null. */
  public boolean has(String key) {
    return root.hasPath(full(key));
  }

  /** Text that is not empty. */
  public String string(String key) {
    return value(key, "text that is not empty", Function.identity());
  }

  /** Text, or nothing. */
  public Optional<String> optionalString(String key) {
    return optional(key, "text", Function.identity());
  }

  /** Texts: a list, or one text separated by commas as environment variables have it. */
  public List<String> strings(String key) {
    if (!has(key)) {
      throw missing(key, "a list");
    }
    if (root.getValue(full(key)).valueType() == ConfigValueType.LIST) {
      try {
        return List.copyOf(root.getStringList(full(key)));
      } catch (ConfigException.WrongType e) {
        throw wrong(key, shown(key), "a list of text", e);
      }
    }
    return Arrays.stream(raw(key, "a list").split(",", -1))
        .map(String::strip)
        .filter(text -> !text.isEmpty())
        .collect(Collectors.toUnmodifiableList());
  }

  /** Text that no message ever shows. */
  public Secret secret(String key) {
    return optionalSecret(key).orElseThrow(() -> missing(key, "a secret"));
  }

  /** Text that no message ever shows, or nothing. */
  public Optional<Secret> optionalSecret(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    try {
      return Optional.of(root.getString(full(key))).filter(s -> !s.isEmpty()).map(Secret::new);
    } catch (ConfigException.WrongType e) {
      // Without its cause: that quotes the value.
      throw new SettingsException(full(key) + " = (hidden): expected text");
    }
  }

  /** A whole number within bounds, both included. */
  public int integer(String key, int min, int max) {
    return value(key, "a whole number from " + min + " to " + max, text -> within(text, min, max));
  }

  /** A size such as {@code 64 KiB}, in bytes, within bounds, both included. */
  public int bytes(String key, int min, int max) {
    return value(
        key,
        "a size of " + min + " to " + max + " bytes, such as 64 KiB",
        text -> {
          long size = root.getBytes(full(key));
          if (size < min || size > max) {
            throw new IllegalArgumentException("out of bounds");
          }
          return (int) size;
        });
  }

  /** {@code on}/{@code off}, {@code true}/{@code false} or {@code yes}/{@code no}. */
  public boolean flag(String key) {
    return value(
        key,
        "on or off",
        text ->
            switch (text.toLowerCase(Locale.ROOT)) {
              case "on", "true", "yes" -> true;
              case "off", "false", "no" -> false;
              default -> throw new IllegalArgumentException("neither on nor off");
            });
  }

  /** A duration such as {@code 300 s} within bounds, both included. */
  public Duration duration(String key, Duration min, Duration max) {
    return value(
        key,
        "a duration from " + written(min) + " to " + written(max) + ", such as 30s or 5m",
        text -> {
          Duration duration = root.getDuration(full(key));
          if (duration.compareTo(min) < 0 || duration.compareTo(max) > 0) {
            throw new IllegalArgumentException("out of bounds");
          }
          return duration;
        });
  }

  /** A path; a leading {@code ~/} is the user's home. Absolute in the answer. */
  public Path path(String key) {
    return value(key, "a path", SettingsReader::toPath);
  }

  /** Paths as of {@link #path}, in a list or separated by commas. */
  public List<Path> paths(String key) {
    List<Path> paths = new ArrayList<>();
    for (String text : strings(key)) {
      try {
        paths.add(toPath(text));
      } catch (IllegalArgumentException e) {
        throw wrong(key, text, "paths", e);
      }
    }
    return paths;
  }

  /** A path as of {@link #path}, or nothing. */
  public Optional<Path> optionalPath(String key) {
    return optional(key, "a path", SettingsReader::toPath);
  }

  /** {@code host:port} or {@code [ipv6]:port}. */
  public Endpoint endpoint(String key) {
    return value(key, "host:port", Endpoint::parse);
  }

  /** {@code host:port} or {@code [ipv6]:port}, or nothing. */
  public Optional<Endpoint> optionalEndpoint(String key) {
    return optional(key, "host:port", Endpoint::parse);
  }

  /** Endpoints: a list, or one text separated by commas. */
  public List<Endpoint> endpoints(String key) {
    List<Endpoint> endpoints = new ArrayList<>();
    for (String text : strings(key)) {
      try {
        endpoints.add(Endpoint.parse(text));
      } catch (IllegalArgumentException e) {
        throw wrong(key, text, "a list of host:port", e);
      }
    }
    return List.copyOf(endpoints);
  }

  /** Prefixes in CIDR notation, which may be none: a list, or one text separated by commas. */
  public List<IpPrefix> prefixes(String key) {
    List<IpPrefix> prefixes = new ArrayList<>();
    for (String text : strings(key)) {
      try {
        prefixes.add(IpPrefix.parse(text));
      } catch (IllegalArgumentException e) {
        throw wrong(key, text, "a list of prefixes in CIDR notation, such as 10.42.0.0/16", e);
      }
    }
    return List.copyOf(prefixes);
  }

  /** A prefix in CIDR notation. */
  public IpPrefix prefix(String key) {
    return value(key, "a prefix in CIDR notation, such as 10.42.0.0/16", IpPrefix::parse);
  }

  /** {@code sha256:} and 64 hexadecimal digits, or nothing. */
  public Optional<Fingerprint> optionalFingerprint(String key) {
    return optional(key, "'sha256:' and 64 lower-case hexadecimal digits", Fingerprint::new);
  }

  /**
   * A constant of an enum, written in lower case with hyphens: {@code USER_SPACE} is user-space.
   */
  public <E extends Enum<E>> E oneOf(String key, Class<E> type) {
    List<E> constants = List.of(type.getEnumConstants());
    String expected =
        constants.stream()
            .map(SettingsReader::written)
            .collect(Collectors.joining(", ", "one of ", ""));
    return value(
        key,
        expected,
        text ->
            constants.stream()
                .filter(constant -> written(constant).equals(text.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("unknown")));
  }

  /**
   * A value of any type.
   *
   * @param expected what the message says was expected
   * @param parse throws IllegalArgumentException for a wrong value
   */
  public <T> T value(String key, String expected, Function<String, T> parse) {
    return optional(key, expected, parse).orElseThrow(() -> missing(key, expected));
  }

  /** As {@link #value}, or nothing. */
  public <T> Optional<T> optional(String key, String expected, Function<String, T> parse) {
    if (!has(key)) {
      return Optional.empty();
    }
    String text = raw(key, expected);
    if (text.isBlank()) {
      return Optional.empty();
    }
    try {
      return Optional.of(parse.apply(text));
    } catch (IllegalArgumentException | ConfigException e) {
      throw wrong(key, text, expected, e);
    }
  }

  /** The configuration below a key, for Pekko, which demands one. */
  public Config config(String key) {
    if (!has(key) || root.getValue(full(key)).valueType() != ConfigValueType.OBJECT) {
      throw missing(key, "a section");
    }
    return root.getConfig(full(key));
  }

  /**
   * Says that a value is wrong for a reason that only the caller can see, such as another value.
   */
  public SettingsException invalid(String key, String expected) {
    return wrong(key, has(key) ? shown(key) : "", expected, null);
  }

  private String raw(String key, String expected) {
    try {
      return root.getString(full(key));
    } catch (ConfigException.WrongType e) {
      throw wrong(key, shown(key), expected, e);
    }
  }

  private String shown(String key) {
    return root.getValue(full(key)).render(ConfigRenderOptions.concise());
  }

  private String full(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  private SettingsException missing(String key, String expected) {
    return new SettingsException(full(key) + " is not set: expected " + expected);
  }

  private SettingsException wrong(
      String key, String value, String expected, @Nullable Exception cause) {
    String message = full(key) + " = " + value + ": expected " + expected;
    return cause == null ? new SettingsException(message) : new SettingsException(message, cause);
  }

  private static int within(String text, int min, int max) {
    int number = Integer.parseInt(text);
    if (number < min || number > max) {
      throw new IllegalArgumentException("out of bounds");
    }
    return number;
  }

  private static Path toPath(String text) {
    String home = System.getProperty("user.home", "");
    try {
      if (text.equals("~") || text.startsWith("~/")) {
        return Path.of(home + text.substring(1)).toAbsolutePath().normalize();
      }
      return Path.of(text).toAbsolutePath().normalize();
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  private static String written(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static String written(Duration duration) {
    return duration.toMillis() % 1000 == 0
        ? duration.toSeconds() + "s"
        : duration.toMillis() + "ms";
  }
}
