package coral.certificate;

import java.math.BigInteger;
import java.time.Instant;
import java.util.List;
import javax.security.auth.x500.X500Principal;

/**
 * What is known of the certificates that were issued, for those who publish it to third parties.
 * Thread-safe, answers from memory.
 */
public interface RevocationSource {
  /** What is known of one certificate. */
  sealed interface Status {
    /** It was issued and may be used, as far as it is not over. */
    record Good() implements Status {}

    /** It must not be used any more. */
    record Revoked(Instant at, Reason reason) implements Status {}

    /** It was never issued. */
    record Unknown() implements Status {}
  }

  /** Why a certificate must not be used any more (RFC 5280, section 5.3.1). */
  enum Reason {
    UNSPECIFIED(0),
    KEY_COMPROMISE(1),
    AFFILIATION_CHANGED(3),
    SUPERSEDED(4),
    CESSATION_OF_OPERATION(5),
    PRIVILEGE_WITHDRAWN(9);

    private final int code;

    Reason(int code) {
      this.code = code;
    }

    /** As CRLs and OCSP write it. */
    int code() {
      return code;
    }
  }

  /**
   * A certificate that must not be used any more.
   *
   * @param at cut to a second where it is published
   */
  record Entry(BigInteger serial, Instant at, Reason reason) {}

  /**
   * What is known of a certificate.
   *
   * @param issuer as the certificate names it; one that another authority of the colony issued
   *     under this serial number is unknown
   * @throws IllegalStateException if nothing is known yet, as before the journal has been read
   */
  Status status(X500Principal issuer, BigInteger serial);

  /**
   * All certificates of an issuer that must not be used any more and have not ended.
   *
   * @throws IllegalStateException if nothing is known yet
   */
  List<Entry> revoked(X500Principal issuer);

  /**
   * Higher after every change of what {@link #revoked} gives, for whichever issuer, across restarts
   * too; 0 to 2^31 - 1.
   */
  long revision();
}
