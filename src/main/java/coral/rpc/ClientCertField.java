package coral.rpc;

import coral.model.Failure;
import coral.model.RefusedException;
import java.io.ByteArrayInputStream;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Base64;

/**
 * The {@code Client-Cert} field of RFC 9440: the certificate that a client has shown to a proxy, at
 * which its TLS ends. Its value is a byte sequence (RFC 8941, section 3.3.5), the certificate's
 * DER.
 */
public final class ClientCertField {
  /** In lower case, as HTTP/2 has names. */
  public static final String NAME = "client-cert";

  /** In characters; several times what a colony issues. */
  private static final int MAX_LENGTH = 8 << 10;

  private ClientCertField() {}

  /** The field's value. */
  public static String encode(X509Certificate certificate) {
    try {
      return ":" + Base64.getEncoder().encodeToString(certificate.getEncoded()) + ":";
    } catch (CertificateEncodingException e) {
      throw new IllegalArgumentException("a certificate without an encoding", e);
    }
  }

  /**
   * What the value holds. Nothing says whether it is good, or who has its key.
   *
   * @throws RefusedException INVALID_ARGUMENT for anything but one certificate
   */
  static X509Certificate decode(String value) {
    if (value.length() < 2
        || value.length() > MAX_LENGTH
        || !value.startsWith(":")
        || !value.endsWith(":")) {
      throw malformed();
    }
    try {
      byte[] der = Base64.getDecoder().decode(value.substring(1, value.length() - 1));
      ByteArrayInputStream in = new ByteArrayInputStream(der);
      X509Certificate certificate =
          (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
      if (in.available() > 0) {
        throw malformed();
      }
      return certificate;
    } catch (IllegalArgumentException | CertificateException e) {
      throw malformed();
    }
  }

  private static RefusedException malformed() {
    return new RefusedException(
        Failure.INVALID_ARGUMENT, NAME + " is not one certificate between two colons (RFC 9440)");
  }
}
