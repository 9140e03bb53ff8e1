package coral.agent;

import com.typesafe.config.Config;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import coral.model.InvitationText;
import coral.proxy.ProxyDirectory;
import coral.settings.SettingsException;
import coral.settings.SettingsReader;
import coral.wireguard.embedded.DeviceMode;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/**
 * Everything an agent is told; each part is documented at {@code coral.agent} in {@code
 * agent.conf}.
 *
 * @param directory what the agent keeps: {@code agents/<agent id>} in {@code ~/.coral}, or {@code
 *     proxies/<colony id>}
 * @param home {@code ~/.coral}
 * @param caFingerprint needed until the agent remembers one
 * @param colonyEndpoint the colony's gRPC port; empty: discovery is asked
 * @param discovery empty: the one that is remembered, or {@link #DEFAULT_DISCOVERY}
 * @param observeConnections whether the colony is told what the host is connected to in the mesh
 * @param renewalBackOff between two attempts at a renewal that fail
 * @param componentName at most 63 characters
 * @param once join, probe, report and leave
 */
public record AgentSettings(
    AgentId agentId,
    ColonyId colonyId,
    Path home,
    Path directory,
    CredentialSettings credentials,
    Optional<Fingerprint> caFingerprint,
    Optional<Endpoint> colonyEndpoint,
    Optional<URI> discovery,
    Optional<Fingerprint> discoveryFingerprint,
    String componentName,
    Device device,
    Duration probeInterval,
    Duration probeTimeout,
    Duration callTimeout,
    boolean observeConnections,
    BackOff backOff,
    BackOff renewalBackOff,
    boolean once,
    Duration onceTimeout,
    ReportFormat report,
    Optional<ProxySettings> proxy) {

  /** Where discovery is, if nobody says: on this host. */
  static final URI DEFAULT_DISCOVERY = URI.create("https://localhost:8080");

  private static final Duration LEAST = Duration.ofMillis(1);
  private static final Duration LONGEST = Duration.ofDays(1);

  private static final int MAX_COMPONENT_NAME = 63;

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
    CredentialSettings credentials = CredentialSettings.from(reader);
    Optional<InvitationText> invitation = credentials.invitation();
    Optional<InvitationText.Discovery> inviting = invitation.flatMap(InvitationText::discovery);
    ColonyId colonyId =
        agreed(
                "colony-id",
                reader.optional(
                    "colony-id", "a colony id, such as my-app-prod-a3f2e1", ColonyId::new),
                invitation.map(InvitationText::colonyId))
            .orElseThrow(
                () ->
                    reader.invalid(
                        "colony-id", "a colony id, such as my-app-prod-a3f2e1, or an invitation"));
    Optional<ProxySettings> proxy = ProxySettings.from(reader.at("proxy"), colonyId);
    boolean isStandalone = proxy.filter(ProxySettings::isStandalone).isPresent();
    Path home =
        reader
            .optionalPath("home")
            .orElseGet(() -> Path.of(System.getProperty("user.home", "."), ".coral"));
    Path proxyDirectory = ProxyDirectory.of(home, colonyId).path();
    AgentId agentId =
        agreed(
                "id",
                reader.optional("id", "an agent id, [a-z0-9][a-z0-9._-]{0,62}", AgentId::new),
                invitation.flatMap(InvitationText::agentId))
            .or(() -> isStandalone ? AgentFiles.holder(proxyDirectory) : Optional.empty())
            .or(() -> idOf(isStandalone ? proxyName(host) : host))
            .orElseThrow(() -> reader.invalid("id", "an agent id: the host's name makes none"));
    return new AgentSettings(
        agentId,
        colonyId,
        home,
        isStandalone ? proxyDirectory : home.resolve("agents").resolve(agentId.value()),
        credentials,
        agreed(
            "ca-fingerprint",
            reader.optionalFingerprint("ca-fingerprint"),
            invitation.map(InvitationText::caFingerprint)),
        reader.optionalEndpoint("colony-endpoint"),
        reader
            .optional(
                "discovery.url",
                "https://host:port or http://host:port",
                AgentSettings::discoveryUri)
            .or(() -> inviting.map(InvitationText.Discovery::url).map(URI::create)),
        reader
            .optionalFingerprint("discovery.fingerprint")
            .or(() -> inviting.flatMap(InvitationText.Discovery::fingerprint)),
        reader
            .optional("component-name", "at most 63 characters", AgentSettings::componentNameOf)
            .orElse(shortened(host)),
        new Device(
            reader.oneOf("device.mode", DeviceMode.class),
            isStandalone
                ? ProxySettings.interfaceName(colonyId)
                : reader.value(
                    "device.interface-name",
                    "1 to 15 letters, digits, '.', '_' or '-'",
                    AgentSettings::interfaceNameOf),
            reader.integer("device.listen-port", 0, 65535),
            reader.integer("device.mtu", 1280, 1500)),
        reader.duration("probe.interval", LEAST, LONGEST),
        reader.duration("probe.timeout", LEAST, LONGEST),
        reader.duration("call-timeout", LEAST, LONGEST),
        reader.flag("observe-connections"),
        backOff(reader, "back-off"),
        backOff(reader, "renewal.back-off"),
        reader.flag("once"),
        reader.duration("once-timeout", LEAST, LONGEST),
        reader.oneOf("report", ReportFormat.class),
        proxy);
  }

  /** Whether the process is a proxy and nothing else. */
  boolean isStandaloneProxy() {
    return proxy.filter(ProxySettings::isStandalone).isPresent();
  }

  /** RFD 005: a proxy is a user's, and each of a host's users may have one. */
  private static String proxyName(String host) {
    return "proxy-" + System.getProperty("user.name", "user") + "-" + host;
  }

  private static BackOff backOff(SettingsReader reader, String key) {
    Duration first = reader.duration(key + ".first", LEAST, LONGEST);
    return new BackOff(
        first,
        reader.duration(key + ".longest", first, LONGEST),
        reader.duration(key + ".slow", LEAST, LONGEST));
  }

  /** What is set and what an invitation says may both be there, if they say the same. */
  private static <T> Optional<T> agreed(String key, Optional<T> set, Optional<T> invited) {
    if (set.isPresent() && invited.isPresent() && !set.equals(invited)) {
      throw new SettingsException(
          "coral.agent."
              + key
              + " = "
              + set.get()
              + ", but the invitation is for "
              + invited.get());
    }
    return set.or(() -> invited);
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
