package coral.certificate;

import coral.model.AgentId;
import coral.model.Refused;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One line per certificate that was issued or refused, by the logger {@code coral.audit}: agent,
 * serial, the beginning of the key's SHA-256, source and reason. Never a secret, never what a
 * request contained.
 */
final class CertificateAudit {
  private static final Logger LOG = LoggerFactory.getLogger("coral.audit");

  /** Enough of a hash to find a key by, and short enough to read. */
  private static final int KEY_DIGITS = 16;

  private static final int MAX_SOURCE_LENGTH = 64;

  void issued(CertificateAuthority.Issued issued, String keyHash, String source) {
    LOG.info(
        "certificate issued: agent={} serial={} key={} source={} notAfter={}",
        issued.agentId(),
        issued.serial(),
        prefix(keyHash),
        clean(source),
        issued.notAfter());
  }

  void refused(AgentId agentId, Optional<String> keyHash, String source, Refused refused) {
    LOG.warn(
        "certificate refused: agent={} serial=- key={} source={} reason={} ({})",
        agentId,
        keyHash.map(CertificateAudit::prefix).orElse("-"),
        clean(source),
        refused.failure(),
        refused.message());
  }

  private static String prefix(String keyHash) {
    return keyHash.substring(0, KEY_DIGITS);
  }

  /** A source must not be able to write a line of its own. */
  private static String clean(String source) {
    String printable = source.replaceAll("[^\\x21-\\x7e]", "?");
    return printable.substring(0, Math.min(printable.length(), MAX_SOURCE_LENGTH));
  }
}
