package coral.agent;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import coral.model.Secret;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/**
 * Everything an agent is told; each part is documented at {@code coral.agent} in {@code
 * agent.conf}.
 *
 * @param home the directory that holds {@code agents/<agent id>}
 * @param colonySecret needed until the agent has a certificate
 * @param caFingerprint needed until the agent remembers one
 * @param colonyEndpoint the colony's gRPC port; empty: discovery is asked
 * @param discoveryFingerprint empty: any certificate of discovery will do
 * @param componentName at most 63 characters
 * @param once join, probe, report and leave
 */
public record AgentSettings(
    AgentId agentId,
    ColonyId colonyId,
    Path home,
    Optional<Secret> colonySecret,
    Optional<Fingerprint> caFingerprint,
    Optional<Endpoint> colonyEndpoint,
    URI discovery,
    Optional<Fingerprint> discoveryFingerprint,
    String componentName,
    Device device,
    Duration probeInterval,
    Duration probeTimeout,
    Duration callTimeout,
    BackOff backOff,
    boolean once,
    Duration onceTimeout,
    ReportFormat report) {

  private static final int MAX_COMPONENT_NAME = 63;

  /** A secret is one line of a file; anything larger is the wrong file. */
  private static final long MAX_SECRET_FILE_BYTES = 4096;

  /**
   * The agent's end of the tunnel.
   *
   * @param interfaceName 1 to 15 characters (Linux, IFNAMSIZ)
   * @param listenPort UDP; 0 for any
   * @param mtu bytes, 1280 to 1500
   */
  public record Device(DeviceMode mode, String interfaceName, int listenPort, int mtu) {}

  /**
   * Reads {@code coral.agent}.
   *
   * @throws IllegalArgumentException if a value is missing or wrong; the message names the key, the
   *     value (never a secret) and what was expected
   */
  public static AgentSettings from(Config config) {
    Reader reader = new Reader(config.getConfig("coral.agent"));
    String host = hostName();
    BackOff backOff;
    try {
      backOff =
          new BackOff(
              reader.duration("back-off.first"),
              reader.duration("back-off.longest"),
              reader.duration("back-off.slow"));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("coral.agent.back-off: " + e.getMessage(), e);
    }
    return new AgentSettings(
        reader
            .optional("id", AgentId::new)
            .orElseGet(() -> reader.value("id (from the host's name)", host, AgentSettings::idOf)),
        reader.required("colony-id", ColonyId::new),
        reader
            .optional("home", Path::of)
            .orElseGet(() -> Path.of(System.getProperty("user.home", "."), ".coral")),
        secret(reader),
        reader.optional("ca-fingerprint", Fingerprint::new),
        reader.optional("colony-endpoint", Endpoint::parse),
        reader.required("discovery.url", AgentSettings::discoveryUri),
        reader.optional("discovery.fingerprint", Fingerprint::new),
        reader.optional("component-name", AgentSettings::componentNameOf).orElse(shortened(host)),
        new Device(
            reader.oneOf("device.mode", DeviceMode.class),
            reader.required("device.interface-name", AgentSettings::interfaceNameOf),
            reader.integer("device.listen-port", 0, 65535),
            reader.integer("device.mtu", 1280, 1500)),
        reader.duration("probe.interval"),
        reader.duration("probe.timeout"),
        reader.duration("call-timeout"),
        backOff,
        reader.bool("once"),
        reader.duration("once-timeout"),
        reader.oneOf("report", ReportFormat.class));
  }

  private static Optional<Secret> secret(Reader reader) {
    Optional<Secret> given = reader.optional("colony-secret", Secret::new);
    Optional<Path> file = reader.optional("colony-secret-file", Path::of);
    if (given.isPresent() && file.isPresent()) {
      throw new IllegalArgumentException(
          "coral.agent.colony-secret and coral.agent.colony-secret-file are both set: give one");
    }
    return given.or(() -> file.map(AgentSettings::readSecret));
  }

  private static Secret readSecret(Path file) {
    String key = "coral.agent.colony-secret-file = " + file + ": ";
    try {
      if (Files.size(file) > MAX_SECRET_FILE_BYTES) {
        throw new IllegalArgumentException(
            key + "larger than " + MAX_SECRET_FILE_BYTES + " bytes, not a file with a secret");
      }
      String text = Files.readString(file, StandardCharsets.UTF_8).strip();
      if (text.isEmpty()) {
        throw new IllegalArgumentException(key + "the file is empty");
      }
      return new Secret(text);
    } catch (IOException e) {
      throw new IllegalArgumentException(key + "cannot be read (" + e + ")", e);
    }
  }

  /** An agent id that is made of a host's name: what an id may not hold becomes a dash. */
  static AgentId idOf(String hostName) {
    String id = hostName.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9._-]", "-");
    return new AgentId(shortened(id.replaceFirst("^[^a-z0-9]+", "")));
  }

  private static String shortened(String name) {
    return name.substring(0, Math.min(name.length(), MAX_COMPONENT_NAME));
  }

  private static String componentNameOf(String text) {
    if (text.length() > MAX_COMPONENT_NAME) {
      throw new IllegalArgumentException("at most " + MAX_COMPONENT_NAME + " characters");
    }
    return text;
  }

  private static String interfaceNameOf(String text) {
    if (!text.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,14}")) {
      throw new IllegalArgumentException("1 to 15 letters, digits, '.', '_' or '-'");
    }
    return text;
  }

  private static URI discoveryUri(String text) {
    URI uri = URI.create(text);
    boolean known = "https".equals(uri.getScheme()) || "http".equals(uri.getScheme());
    if (!known || uri.getHost() == null) {
      throw new IllegalArgumentException("https://host:port or http://host:port");
    }
    return uri;
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "agent"; // a host whose own name does not resolve
    }
  }

  /** Reads values with messages for people. */
  private record Reader(Config config) {
    String text(String key) {
      try {
        return config.getString(key).strip();
      } catch (ConfigException e) {
        throw new IllegalArgumentException("coral.agent." + key + ": " + e.getMessage(), e);
      }
    }

    <T> T value(String key, String text, Function<String, T> parser) {
      try {
        return parser.apply(text);
      } catch (IllegalArgumentException e) {
        String shown = key.equals("colony-secret") ? "(hidden)" : "'" + text + "'";
        throw new IllegalArgumentException(
            "coral.agent." + key + " = " + shown + ": expected " + e.getMessage(), e);
      }
    }

    <T> Optional<T> optional(String key, Function<String, T> parser) {
      String text = text(key);
      return text.isEmpty() ? Optional.empty() : Optional.of(value(key, text, parser));
    }

    <T> T required(String key, Function<String, T> parser) {
      return optional(key, parser)
          .orElseThrow(
              () -> new IllegalArgumentException("coral.agent." + key + " is empty: it is needed"));
    }

    <E extends Enum<E>> E oneOf(String key, Class<E> type) {
      return required(
          key,
          text -> {
            try {
              return Enum.valueOf(type, text.toUpperCase(Locale.ROOT).replace('-', '_'));
            } catch (IllegalArgumentException e) {
              throw new IllegalArgumentException(
                  "one of "
                      + String.join(
                          ", ",
                          java.util.Arrays.stream(type.getEnumConstants())
                              .map(c -> c.name().toLowerCase(Locale.ROOT).replace('_', '-'))
                              .toList()),
                  e);
            }
          });
    }

    Duration duration(String key) {
      Duration value;
      try {
        value = config.getDuration(key);
      } catch (ConfigException e) {
        throw new IllegalArgumentException("coral.agent." + key + ": " + e.getMessage(), e);
      }
      if (value.isNegative() || value.isZero()) {
        throw new IllegalArgumentException(
            "coral.agent." + key + " = " + value + ": expected more than zero");
      }
      return value;
    }

    int integer(String key, int least, int most) {
      return required(
          key,
          text -> {
            try {
              int value = Integer.parseInt(text);
              if (value >= least && value <= most) {
                return value;
              }
            } catch (NumberFormatException e) {
              // falls through to the one message
            }
            throw new IllegalArgumentException("a number from " + least + " to " + most);
          });
    }

    boolean bool(String key) {
      try {
        return config.getBoolean(key);
      } catch (ConfigException e) {
        throw new IllegalArgumentException("coral.agent." + key + ": " + e.getMessage(), e);
      }
    }
  }
}
