package coral.colony;

import com.typesafe.config.Config;
import coral.certificate.AuthoritySettings;
import coral.certificate.CertificateSettings;
import coral.certificate.KeyType;
import coral.certificate.RevocationUrls;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import coral.model.MeshSubnet;
import coral.settings.SettingsReader;
import coral.wireguard.DeviceSettings;
import coral.wireguard.embedded.DeviceMode;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a colony is told by its configuration; every key stands in {@code colony.conf}.
 *
 * @param app what the colony is for, for people
 * @param environment such as production, for people
 * @param directory of this colony's files, see {@link ColonyFiles}
 * @param listenHost what the gRPC port is bound to
 * @param listenPort 0 to 65535; 0 lets the system choose
 * @param wireGuardPort 0 to 65535; 0 lets the system choose
 * @param publicEndpoints where agents reach the WireGuard port, best first, at most 16; empty: the
 *     addresses of this host
 * @param heartbeatInterval between two heartbeats of an agent, 1 s to 5 min
 * @param mtu of the packets inside the tunnel, bytes
 * @param interfaceName of the device, at most 15 characters
 * @param discovery where the colony announces itself; empty: nowhere
 * @param revocation where revocation lists and OCSP answers are served; empty: nowhere
 * @param legacy what is taken from agents of before
 * @param managementPort 0 to 65535; 0 lets the system choose
 * @param authority the keys of the certificate authority
 */
public record ColonySettings(
    ColonyId colonyId,
    String app,
    String environment,
    Path directory,
    String listenHost,
    int listenPort,
    int wireGuardPort,
    List<Endpoint> publicEndpoints,
    MeshSubnet subnet,
    Duration heartbeatInterval,
    CertificateSettings certificates,
    int mtu,
    DeviceMode deviceMode,
    String interfaceName,
    Optional<Discovery> discovery,
    Legacy legacy,
    Optional<Revocation> revocation,
    String managementHost,
    int managementPort,
    AuthoritySettings authority) {
  /** As many as discovery takes. */
  private static final int MAX_PUBLIC_ENDPOINTS = 16;

  private static final int MAX_LABEL_LENGTH = 63;
  private static final int MAX_MTU = 65_000;
  private static final int DISCOVERY_PORT = 8080;

  /**
   * Where discovery is.
   *
   * @param tls whether the connection is TLS; plaintext only if the URL says http
   * @param fingerprint of discovery's certificate; always there with TLS, because the colony shows
   *     discovery its secret
   * @param tokenKey the id of the first key whose registration tokens are believed; empty: the one
   *     that signs when discovery is asked for the first time
   */
  public record Discovery(
      Endpoint endpoint,
      boolean tls,
      Optional<Fingerprint> fingerprint,
      Optional<String> tokenKey) {
    /** As it was configured, with its port. */
    String url() {
      return (tls ? "https://" : "http://") + endpoint;
    }
  }

  /**
   * What agents had before they had certificates, taken for migration only.
   *
   * @param acceptColonySecret whether the colony's secret alone buys a certificate, or an address
   * @param acceptTokenRegistration whether a registration token alone buys an address
   */
  public record Legacy(boolean acceptColonySecret, boolean acceptTokenRegistration) {
    /** Whether somebody without a certificate may ask for an address. */
    boolean acceptStrangers() {
      return acceptColonySecret || acceptTokenRegistration;
    }
  }

  /**
   * Where third parties read which certificates have ended, in plaintext.
   *
   * @param port 0 to 65535; 0 lets the system choose
   * @param urls where others reach it, for certificates to say; empty: they do not say
   */
  public record Revocation(String host, int port, Optional<RevocationUrls> urls) {}

  public ColonySettings {
    publicEndpoints = List.copyOf(publicEndpoints);
  }

  /**
   * Reads the settings.
   *
   * @param config the whole configuration, resolved
   * @throws coral.settings.SettingsException naming the key, its value and what was expected
   */
  public static ColonySettings from(Config config) {
    SettingsReader colony = SettingsReader.of(config, "coral.colony");
    ColonyId id =
        colony.value(
            "id",
            "a colony id as `coral init` prints it, such as my-app-prod-a3f2e1",
            ColonyId::new);
    Path directory =
        colony
            .optionalPath("directory")
            .orElseGet(() -> ColonyFiles.directory(colony.path("home"), id));
    List<Endpoint> endpoints = colony.endpoints("public-endpoints");
    if (endpoints.size() > MAX_PUBLIC_ENDPOINTS) {
      throw colony.invalid("public-endpoints", "at most " + MAX_PUBLIC_ENDPOINTS);
    }
    SettingsReader listen = colony.at("listen");
    SettingsReader device = colony.at("wireguard");
    SettingsReader management = colony.at("management");
    Optional<Revocation> revocation = revocation(colony.at("revocation"));
    return new ColonySettings(
        id,
        label(colony, "app"),
        label(colony, "environment"),
        directory,
        listen.string("host"),
        listen.integer("port", 0, 65535),
        device.integer("port", 0, 65535),
        endpoints,
        subnet(colony.at("subnet")),
        colony.duration("heartbeat-interval", Duration.ofSeconds(1), Duration.ofMinutes(5)),
        certificates(colony.at("certificates"), revocation),
        device.integer("mtu", 1280, MAX_MTU),
        device.oneOf("device", DeviceMode.class),
        device.value("interface-name", "1 to 15 characters", ColonySettings::interfaceName),
        discovery(colony.at("discovery")),
        new Legacy(
            colony.at("legacy").flag("accept-colony-secret"),
            colony.at("legacy").flag("accept-token-registration")),
        revocation,
        management.string("host"),
        management.integer("port", 0, 65535),
        authority(config));
  }

  private static CertificateSettings certificates(
      SettingsReader reader, Optional<Revocation> revocation) {
    return new CertificateSettings(
            reader.duration("agent-validity", Duration.ofMinutes(1), Duration.ofDays(3650)),
            reader.integer("max-agents", 1, 1_000_000))
        .with(reader.paths("blocked-keys"), revocation.flatMap(Revocation::urls));
  }

  /**
   * Reads {@code coral.colony.authority} alone, for a colony that has no settings yet.
   *
   * @param config the whole configuration, resolved
   * @throws coral.settings.SettingsException naming the key, its value and what was expected
   */
  public static AuthoritySettings authority(Config config) {
    SettingsReader reader = SettingsReader.of(config, "coral.colony.authority");
    SettingsReader device = reader.at("pkcs11");
    Optional<Path> library = device.optionalPath("library");
    return new AuthoritySettings(
        reader.value("key-type", "rsa-4096, rsa-3072 or p-256", ColonySettings::keyType),
        reader.optionalSecret("passphrase"),
        reader.optionalPath("passphrase-file"),
        library.map(
            path ->
                new AuthoritySettings.Device(
                    path, device.integer("slot", 0, Integer.MAX_VALUE), device.path("pin-file"))));
  }

  /** No less than 128 bits of security (NIST SP 800-57): the mesh's own keys have as much. */
  private static KeyType keyType(String text) {
    return switch (text) {
      case "rsa-4096" -> KeyType.RSA_4096;
      case "rsa-3072" -> KeyType.RSA_3072;
      case "p-256" -> KeyType.P_256;
      default -> throw new IllegalArgumentException("not a key type of an authority");
    };
  }

  private static String label(SettingsReader reader, String key) {
    String label = reader.optionalString(key).orElse("");
    if (label.length() > MAX_LABEL_LENGTH) {
      throw reader.invalid(key, "at most " + MAX_LABEL_LENGTH + " characters");
    }
    return label;
  }

  private static MeshSubnet subnet(SettingsReader reader) {
    try {
      return new MeshSubnet(reader.prefix("ipv4"), reader.prefix("ipv6"));
    } catch (IllegalArgumentException e) {
      String wrong = e.getMessage() != null && e.getMessage().contains("IPv6") ? "ipv6" : "ipv4";
      throw reader.invalid(
          wrong,
          wrong.equals("ipv4") ? "an IPv4 prefix of /8 to /30" : "an IPv6 prefix of /32 to /96");
    }
  }

  private static String interfaceName(String name) {
    if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,14}")) {
      throw new IllegalArgumentException("not the name of an interface");
    }
    return name;
  }

  private static Optional<Revocation> revocation(SettingsReader reader) {
    Revocation where =
        new Revocation(
            reader.string("host"),
            reader.integer("port", 0, 65535),
            reader.optional(
                "public-url",
                "http://host:port, without a slash at its end",
                text -> new RevocationUrls(URI.create(text))));
    return reader.flag("enabled") ? Optional.of(where) : Optional.empty();
  }

  private static Optional<Discovery> discovery(SettingsReader reader) {
    Optional<Fingerprint> fingerprint = reader.optionalFingerprint("fingerprint");
    Optional<URI> url =
        reader.optional(
            "url", "https://host:port, or http://host:port for plaintext", ColonySettings::url);
    if (url.isEmpty()) {
      return Optional.empty();
    }
    boolean tls = url.get().getScheme().equals("https");
    if (tls && fingerprint.isEmpty()) {
      throw reader.invalid(
          "fingerprint",
          "the fingerprint that discovery printed when it started: the colony shows it its secret");
    }
    int port = url.get().getPort() < 0 ? DISCOVERY_PORT : url.get().getPort();
    return Optional.of(
        new Discovery(
            new Endpoint(host(url.get()), port),
            tls,
            fingerprint,
            reader.optional(
                "token-key",
                "the id of a key as discovery prints it, 43 characters",
                ColonySettings::keyId)));
  }

  private static String keyId(String text) {
    if (!text.matches("[A-Za-z0-9_-]{43}")) {
      throw new IllegalArgumentException("not an RFC 7638 thumbprint");
    }
    return text;
  }

  private static URI url(String text) {
    URI url = URI.create(text);
    boolean known = "http".equals(url.getScheme()) || "https".equals(url.getScheme());
    if (!known || url.getHost() == null || !List.of("", "/").contains(url.getPath())) {
      throw new IllegalArgumentException("not a URL of discovery");
    }
    return url;
  }

  private static String host(URI url) {
    String host = url.getHost();
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }

  /** The device that these settings and the colony's key describe. */
  DeviceSettings device(coral.wireguard.KeyPair keys) {
    return new DeviceSettings(interfaceName, keys, wireGuardPort, mtu, true);
  }
}
