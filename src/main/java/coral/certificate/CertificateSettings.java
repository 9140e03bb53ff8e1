package coral.certificate;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How a colony issues certificates.
 *
 * @param agentValidity how long an agent's certificate is good; RFD 020: 90 days
 * @param maxAgents agent ids that may ever be claimed: whoever has the colony's secret can claim
 * @param maxWaiting requests of strangers under way, and as many of members; one more is refused
 *     with LIMIT_REACHED
 * @param blockedKeys files that {@link BlockedKeys} reads
 * @param published where certificates say that their end is published; empty: they do not say
 */
public record CertificateSettings(
    Duration agentValidity,
    int maxAgents,
    int maxWaiting,
    List<Path> blockedKeys,
    Optional<RevocationUrls> published) {
  /** Little over a second of signing with RSA-4096. */
  private static final int MAX_WAITING = 256;

  /** With room for 256 waiting requests, and no blocked keys. */
  public CertificateSettings(Duration agentValidity, int maxAgents) {
    this(agentValidity, maxAgents, MAX_WAITING, List.of(), Optional.empty());
  }

  /** With keys that are blocked, and with what certificates say of where their end is published. */
  public CertificateSettings with(List<Path> blocked, Optional<RevocationUrls> urls) {
    return new CertificateSettings(agentValidity, maxAgents, maxWaiting, blocked, urls);
  }

  /**
   * @throws IllegalArgumentException if a value is out of bounds
   */
  public CertificateSettings {
    blockedKeys = List.copyOf(blockedKeys);
    if (agentValidity.compareTo(Duration.ofMinutes(1)) < 0
        || agentValidity.compareTo(Duration.ofDays(3650)) > 0) {
      throw new IllegalArgumentException(
          "an agent's certificate is good for 1 minute to 3650 days, not " + agentValidity);
    }
    if (maxAgents < 1 || maxWaiting < 1 || maxWaiting > 1000) {
      throw new IllegalArgumentException(
          "at least one agent and 1 to 1000 waiting requests, not "
              + maxAgents
              + " and "
              + maxWaiting);
    }
  }
}
