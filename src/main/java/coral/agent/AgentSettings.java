package coral.agent;

import com.typesafe.config.Config;
import coral.files.SecureFiles;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import coral.model.Secret;
import coral.settings.SettingsException;
import coral.settings.SettingsReader;
import coral.wireguard.embedded.DeviceMode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

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

  private static final Duration LEAST = Duration.ofMillis(1);
  private static final Duration LONGEST = Duration.ofDays(1);

  private static final int MAX_COMPONENT_NAME = 63;

  /** A secret is one line of a file; anything larger is the wrong file. */
  private static final int MAX_SECRET_FILE_BYTES = 4096;

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
   * @throws SettingsException if a value is missing or wrong; the message names the key, the value
   *     (never a secret) and what was expected
   */
  public static AgentSettings from(Config config) {
    SettingsReader reader = SettingsReader.of(config, "coral.agent");
    String host = hostName();
    return new AgentSettings(
        reader
            .optional("id", "an agent id, [a-z0-9][a-z0-9._-]{0,62}", AgentId::new)
            .or(() -> idOf(host))
            .orElseThrow(() -> reader.invalid("id", "an agent id: the host's name makes none")),
        reader.value("colony-id", "a colony id, such as my-app-prod-a3f2e1", ColonyId::new),
        reader
            .optionalPath("home")
            .orElseGet(() -> Path.of(System.getProperty("user.home", "."), ".coral")),
        secret(reader),
        reader.optionalFingerprint("ca-fingerprint"),
        reader.optionalEndpoint("colony-endpoint"),
        reader.value(
            "discovery.url", "https://host:port or http://host:port", AgentSettings::discoveryUri),
        reader.optionalFingerprint("discovery.fingerprint"),
        reader
            .optional("component-name", "at most 63 characters", AgentSettings::componentNameOf)
            .orElse(shortened(host)),
        new Device(
            reader.oneOf("device.mode", DeviceMode.class),
            reader.value(
                "device.interface-name",
                "1 to 15 letters, digits, '.', '_' or '-'",
                AgentSettings::interfaceNameOf),
            reader.integer("device.listen-port", 0, 65535),
            reader.integer("device.mtu", 1280, 1500)),
        reader.duration("probe.interval", LEAST, LONGEST),
        reader.duration("probe.timeout", LEAST, LONGEST),
        reader.duration("call-timeout", LEAST, LONGEST),
        backOff(reader),
        reader.flag("once"),
        reader.duration("once-timeout", LEAST, LONGEST),
        reader.oneOf("report", ReportFormat.class));
  }

  private static BackOff backOff(SettingsReader reader) {
    Duration first = reader.duration("back-off.first", LEAST, LONGEST);
    return new BackOff(
        first,
        reader.duration("back-off.longest", first, LONGEST),
        reader.duration("back-off.slow", LEAST, LONGEST));
  }

  private static Optional<Secret> secret(SettingsReader reader) {
    Optional<Secret> given = reader.optionalSecret("colony-secret");
    Optional<Path> file = reader.optionalPath("colony-secret-file");
    if (given.isPresent() && file.isPresent()) {
      throw reader.invalid("colony-secret-file", "nothing, because colony-secret is set too");
    }
    return given.or(() -> file.map(AgentSettings::readSecret));
  }

  private static Secret readSecret(Path file) {
    String key = "coral.agent.colony-secret-file = " + file + ": ";
    try {
      String text =
          new String(SecureFiles.readPrivate(file, MAX_SECRET_FILE_BYTES), StandardCharsets.UTF_8)
              .strip();
      if (text.isEmpty()) {
        throw new SettingsException(key + "the file is empty");
      }
      return new Secret(text);
    } catch (NoSuchFileException e) {
      throw new SettingsException(key + "there is no such file", e);
    } catch (IOException e) {
      throw new SettingsException(key + "cannot be read: " + e.getMessage(), e);
    }
  }

  /** The agent id that a host's name makes: what an id may not hold becomes a dash. */
  static Optional<AgentId> idOf(String hostName) {
    String id =
        hostName
            .toLowerCase(Locale.ROOT)
            .replaceAll("[^a-z0-9._-]", "-")
            .replaceFirst("^[^a-z0-9]+", "");
    return id.isEmpty() ? Optional.empty() : Optional.of(new AgentId(shortened(id)));
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
}
