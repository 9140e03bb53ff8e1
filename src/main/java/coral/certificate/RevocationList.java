package coral.certificate;

import coral.files.Pem;
import java.io.IOException;
import java.math.BigInteger;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x509.CRLNumber;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.cert.bc.BcX509ExtensionUtils;

/**
 * A list of certificates that must not be used any more, signed by their issuer (RFC 5280, section
 * 5).
 *
 * @param issuer of the certificates and of the list
 * @param number higher than that of every earlier list of this issuer
 * @param nextUpdate after which nobody should believe the list
 * @param der the list itself
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record RevocationList(
    X509Certificate issuer, BigInteger number, Instant thisUpdate, Instant nextUpdate, byte[] der) {
  /** An old list hides what was revoked since: nobody is to use one for longer. */
  static final Duration LIFETIME = Duration.ofHours(24);

  /** The number of a list is the revision of its content and, below it, the second of its issue. */
  private static final int SECONDS_BITS = 32;

  /** The list as text. */
  public String pem() {
    return Pem.encode(Pem.REVOCATION_LIST, der);
  }

  /**
   * Signs a list.
   *
   * @param revision of the content: higher after every change
   * @param now cut to a second; lists of the same second have the same content
   */
  static RevocationList of(
      Issuer issuer, List<RevocationSource.Entry> revoked, long revision, Instant now) {
    Instant thisUpdate = now.truncatedTo(ChronoUnit.SECONDS);
    Instant nextUpdate = thisUpdate.plus(LIFETIME);
    // RFC 5280, section 5.2.3: two lists that were made at different times have different numbers.
    BigInteger number =
        BigInteger.valueOf(revision)
            .shiftLeft(SECONDS_BITS)
            .or(BigInteger.valueOf(thisUpdate.getEpochSecond() & 0xffff_ffffL));
    X509v2CRLBuilder builder = new X509v2CRLBuilder(issuer.name(), Date.from(thisUpdate));
    builder.setNextUpdate(Date.from(nextUpdate));
    for (RevocationSource.Entry entry : revoked) {
      Date at = Date.from(entry.at().truncatedTo(ChronoUnit.SECONDS));
      // Without a reason for 0, as RFC 5280, section 5.3.1, asks.
      builder.addCRLEntry(entry.serial(), at, entry.reason().code());
    }
    try {
      builder.addExtension(Extension.cRLNumber, false, new CRLNumber(number));
      builder.addExtension(
          Extension.authorityKeyIdentifier,
          false,
          new BcX509ExtensionUtils().createAuthorityKeyIdentifier(issuer.publicKey()));
      byte[] der = builder.build(issuer.signer()).getEncoded();
      return new RevocationList(issuer.certificate(), number, thisUpdate, nextUpdate, der);
    } catch (IOException e) {
      throw new IllegalStateException("the revocation list cannot be encoded", e);
    }
  }
}
