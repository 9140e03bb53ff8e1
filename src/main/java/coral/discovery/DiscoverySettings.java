package coral.discovery;

import com.typesafe.config.Config;
import coral.model.IpPrefix;
import coral.settings.SettingsException;
import coral.settings.SettingsReader;
import coral.token.TokenSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The settings of a discovery service; each is described in {@code discovery.conf}.
 *
 * @param tls false serves plaintext
 * @param trustedProxies whose word on where a call comes from is believed
 * @param ttl how long an announcement lives
 * @param retention how long a mesh id stays with its secret after its announcement expired
 * @param limits how often what may be asked
 * @param tokens of the keys that registration tokens are signed with
 * @param keyPassphraseFile holds what those keys are encrypted with at rest; empty leaves them to
 *     their file's mode
 */
public record DiscoverySettings(
    String host,
    int port,
    boolean tls,
    List<IpPrefix> trustedProxies,
    Path directory,
    Duration ttl,
    Retention retention,
    LimitSettings limits,
    TokenSettings tokens,
    Optional<Path> keyPassphraseFile,
    int maxColonies,
    int maxWaitingHashes) {
  /**
   * Binds the settings.
   *
   * @throws SettingsException naming a key whose value is wrong
   */
  public static DiscoverySettings from(Config config) {
    SettingsReader reader = SettingsReader.of(config, "coral.discovery");
    Duration longest = Duration.ofDays(3650);
    return new DiscoverySettings(
        reader.string("host"),
        reader.integer("port", 0, 65535),
        reader.flag("tls"),
        reader.prefixes("trusted-proxies"),
        reader.path("directory"),
        reader.duration("ttl", Duration.ofSeconds(1), Duration.ofDays(1)),
        new Retention(
            reader.duration("brief-ownership-retention", Duration.ZERO, longest),
            reader.duration("established-after", Duration.ZERO, longest),
            reader.duration("ownership-retention", Duration.ZERO, longest)),
        LimitSettings.from(reader),
        tokens(reader.at("token")),
        reader.optionalPath("token.key-passphrase-file"),
        reader.integer("max-colonies", 1, 100_000),
        reader.integer("max-waiting-hashes", 1, 10_000));
  }

  private static TokenSettings tokens(SettingsReader reader) {
    Duration cacheTime =
        reader.duration("key-cache-time", Duration.ofSeconds(1), Duration.ofDays(1));
    Duration rotation =
        reader.duration("key-rotation", Duration.ofSeconds(2), Duration.ofDays(3650));
    if (rotation.compareTo(cacheTime.multipliedBy(2)) < 0) {
      throw reader.invalid("key-rotation", "at least twice key-cache-time");
    }
    return new TokenSettings(rotation, cacheTime, reader.integer("max-waiting", 1, 1_000_000));
  }
}
