package coral.certificate;

import java.io.IOException;
import java.net.URI;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.x509.AccessDescription;
import org.bouncycastle.asn1.x509.AuthorityInformationAccess;
import org.bouncycastle.asn1.x509.CRLDistPoint;
import org.bouncycastle.asn1.x509.DistributionPoint;
import org.bouncycastle.asn1.x509.DistributionPointName;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;

/**
 * Where third parties learn whether a certificate has ended, as the certificate tells them (RFC
 * 5280, sections 4.2.1.13 and 4.2.2.1).
 *
 * @param base plain http, because to ask over TLS would need such an answer itself (RFC 5280,
 *     section 8); with a host, and without a query
 */
public record RevocationUrls(URI base) {
  /** Below the base: lists, by their issuers. */
  public static final String LISTS = "/crl";

  /** Below the base: the responder. */
  public static final String RESPONDER = "/ocsp";

  private static final String LIST_SUFFIX = ".crl";

  /**
   * @throws IllegalArgumentException if the base is not as it must be
   */
  public RevocationUrls {
    if (!"http".equals(base.getScheme())
        || base.getHost() == null
        || base.getRawQuery() != null
        || base.getRawFragment() != null
        || base.getRawUserInfo() != null
        || base.getPath().endsWith("/")) {
      throw new IllegalArgumentException(
          "a URL where revocations are published is http://host:port, without a slash at its end");
    }
  }

  /** The name of the list of an issuer, below {@link #LISTS}. */
  public static String listName(X509Certificate issuer) {
    return HexFormat.of().formatHex(Issuer.keyIdentifier(issuer)) + LIST_SUFFIX;
  }

  /** What a certificate of this issuer says; neither is critical. */
  Map<ASN1ObjectIdentifier, ASN1Encodable> extensions(X509Certificate issuer) {
    Map<ASN1ObjectIdentifier, ASN1Encodable> extensions = new LinkedHashMap<>();
    extensions.put(
        Extension.cRLDistributionPoints,
        new CRLDistPoint(
            new DistributionPoint[] {
              new DistributionPoint(
                  new DistributionPointName(
                      new GeneralNames(uri(base + LISTS + "/" + listName(issuer)))),
                  null,
                  null)
            }));
    extensions.put(
        Extension.authorityInfoAccess,
        new AuthorityInformationAccess(
            new AccessDescription(AccessDescription.id_ad_ocsp, uri(base + RESPONDER))));
    return extensions;
  }

  private static GeneralName uri(String text) {
    return new GeneralName(GeneralName.uniformResourceIdentifier, text);
  }

  static byte[] encoded(ASN1Encodable extension) {
    try {
      return extension.toASN1Primitive().getEncoded(ASN1Encoding.DER);
    } catch (IOException e) {
      throw new IllegalStateException("an extension without an encoding", e);
    }
  }
}
