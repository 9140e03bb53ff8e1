package coral.rpc;

import com.typesafe.config.Config;
import coral.settings.SettingsException;
import coral.settings.SettingsReader;
import java.time.Duration;

/**
 * What connections without a certificate may take of a server; each is described in {@code
 * pekko.conf}.
 *
 * @param maxStrangers connections of one {@link SourceNetwork} at once
 * @param maxLoopbackStrangers the same, of this host itself
 * @param firstRequestTimeout from the accepted connection to its first request
 * @param strangerIdleTimeout from one request to the next
 */
record RpcServerSettings(
    int maxStrangers,
    int maxLoopbackStrangers,
    Duration firstRequestTimeout,
    Duration strangerIdleTimeout) {
  /**
   * Binds the settings.
   *
   * @throws SettingsException naming a key whose value is wrong
   */
  static RpcServerSettings from(Config config) {
    SettingsReader reader = SettingsReader.of(config, "coral.rpc.server");
    Duration longest = Duration.ofHours(1);
    return new RpcServerSettings(
        reader.integer("max-strangers-per-address", 1, 1_000_000),
        reader.integer("max-strangers-per-loopback-address", 1, 1_000_000),
        reader.duration("first-request-timeout", Duration.ofMillis(100), longest),
        reader.duration("stranger-idle-timeout", Duration.ofMillis(100), longest));
  }
}
