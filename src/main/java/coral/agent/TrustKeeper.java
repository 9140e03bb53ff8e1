package coral.agent;

import coral.certificate.TrustBundle;
import java.io.IOException;
import java.time.Instant;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which roots the agent trusts, from bundle to bundle. Each bundle follows from the one before, or
 * from the pin, or is refused; a refused one changes nothing, and the agent says so once until it
 * takes another. Blocks; thread-safe.
 */
final class TrustKeeper {
  private static final Logger LOG = LoggerFactory.getLogger(TrustKeeper.class);

  private final AgentFiles files;
  private boolean hasObjected;

  TrustKeeper(AgentFiles files) {
    this.files = files;
  }

  /**
   * Takes a bundle if it follows from what is trusted.
   *
   * @return the version that is on disk now; empty if the bundle was refused
   */
  synchronized Optional<Long> take(ColonyTrust trust, TrustBundle offered, Instant now)
      throws IOException {
    Optional<String> objection = trust.objection(offered, now);
    if (objection.isPresent()) {
      refused(objection.get());
      return Optional.empty();
    }
    return Optional.of(keep(offered));
  }

  /**
   * Writes a bundle that is believed, unless one of its version or a later one is there.
   *
   * @return the version that is on disk now
   */
  synchronized long keep(TrustBundle believed) throws IOException {
    hasObjected = false;
    long kept = files.trustBundle().map(TrustBundle::version).orElse(0L);
    if (kept >= believed.version()) {
      return kept;
    }
    files.keep(believed);
    LOG.info(
        "The colony's authorities are now {} (trust bundle {})",
        believed.roots().stream().map(ColonyTrust::fingerprint).toList(),
        believed.version());
    return believed.version();
  }

  /** The colony may hand a bundle on with every session, and whoever speaks for it any number. */
  synchronized void refused(String objection) {
    if (hasObjected) {
      LOG.debug("Another trust bundle is refused: {}", objection);
      return;
    }
    hasObjected = true;
    LOG.warn(
        "The trust bundle that the colony hands on is refused, and the former one is kept: {}. If"
            + " the colony was made anew from a backup, remove {} and start the agent with an"
            + " invitation or --ca-fingerprint; if not, somebody else may speak for it",
        objection,
        files.bundleFile());
  }
}
