package coral.certificate;

import coral.files.Pem;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.RefusedException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1PrintableString;
import org.bouncycastle.asn1.ASN1String;
import org.bouncycastle.asn1.ASN1UTF8String;
import org.bouncycastle.asn1.pkcs.CertificationRequest;
import org.bouncycastle.asn1.x500.AttributeTypeAndValue;
import org.bouncycastle.asn1.x500.RDN;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;

/** Requests for certificates, PKCS#10 (RFC 2986): made by agents, verified by the colony. */
public final class CertificateRequests {
  private CertificateRequests() {}

  /**
   * A request in PEM for a key pair, with CN = agent id and nothing else: the colony writes the
   * certificate, the request only carries the key.
   *
   * @param keys RSA or P-256, as {@link KeyType} makes them
   * @throws IllegalArgumentException if the keys cannot sign
   */
  public static byte[] create(AgentId agentId, KeyPair keys) {
    X500Name subject =
        new X500NameBuilder(BCStyle.INSTANCE).addRDN(BCStyle.CN, agentId.value()).build();
    String algorithm = PublicKeys.signatureAlgorithm(keys.getPrivate().getAlgorithm());
    try {
      byte[] der =
          new JcaPKCS10CertificationRequestBuilder(subject, keys.getPublic())
              .build(new JcaContentSignerBuilder(algorithm).build(keys.getPrivate()))
              .getEncoded();
      return Pem.encode(Pem.CERTIFICATE_REQUEST, der).getBytes(StandardCharsets.US_ASCII);
    } catch (OperatorCreationException | IOException e) {
      throw new IllegalArgumentException("these keys cannot sign a request", e);
    }
  }

  /**
   * Verifies a request from a stranger, cheapest check first: size, PEM, form, key policy, name,
   * proof of possession. The key policy comes before any signature is looked at: a signature of RSA
   * with exponent 1 proves nothing, and a modulus of 16,384 bits costs seconds.
   *
   * @param pem at most {@link Pem#MAX_REQUEST_BYTES} bytes, one block
   * @param expected who must be named by the only CN; other parts of the subject are ignored, since
   *     nothing of it is copied
   * @throws RefusedException INVALID_ARGUMENT, saying what to change
   */
  public static VerifiedRequest verify(byte[] pem, AgentId expected) {
    return verify(pem, expected, BlockedKeys.none());
  }

  /** {@link #verify(byte[], AgentId)}; a key that is blocked is refused as soon as it is seen. */
  static VerifiedRequest verify(byte[] pem, AgentId expected, BlockedKeys blocked) {
    try {
      CertificationRequest request =
          parse(Pem.decode(Pem.CERTIFICATE_REQUEST, pem, Pem.MAX_REQUEST_BYTES));
      if (request.getCertificationRequestInfo().getAttributes() != null
          && request.getCertificationRequestInfo().getAttributes().size() > 0) {
        throw new IllegalArgumentException(
            "it carries attributes or extensions; the colony alone decides what a certificate"
                + " says, so send a request without them");
      }
      SubjectPublicKeyInfo info = request.getCertificationRequestInfo().getSubjectPublicKeyInfo();
      String keyHash = PublicKeys.sha256(info.getEncoded(ASN1Encoding.DER));
      if (blocked.contains(keyHash)) {
        throw new IllegalArgumentException(
            "its key is on this colony's list of keys that others know, such as those of Debian's"
                + " defective OpenSSL (CVE-2008-0166); make a new one");
      }
      RequestedKey key = RequestedKey.parse(info);
      requireName(request.getCertificationRequestInfo().getSubject(), expected);
      key.requireSignature(
          request.getCertificationRequestInfo().getEncoded(ASN1Encoding.DER),
          request.getSignatureAlgorithm(),
          request.getSignature());
      // The key's own encoding is the one that was sent.
      return new VerifiedRequest(expected, key.publicKey(), keyHash);
    } catch (IllegalArgumentException | IOException e) {
      throw refused(String.valueOf(e.getMessage()), e);
    } catch (RuntimeException e) {
      // A parser of strangers' bytes that reads lazily fails late, with whatever it meets.
      throw refused("it is not a PKCS#10 request in DER", e);
    }
  }

  private static RefusedException refused(String why, Exception cause) {
    RefusedException refused =
        new RefusedException(
            Failure.INVALID_ARGUMENT, "the certificate request is refused: " + why);
    refused.initCause(cause);
    return refused;
  }

  /**
   * The structure of a DER encoding that is exactly one request. What it re-encodes to must be what
   * was sent, so that no two parsers can see two requests in it.
   */
  private static CertificationRequest parse(byte[] der) {
    try {
      CertificationRequest request = CertificationRequest.getInstance(der);
      if (Arrays.equals(request.getEncoded(ASN1Encoding.DER), der)) {
        return request;
      }
    } catch (IOException | RuntimeException e) {
      // The parser of strangers' bytes fails with many kinds of RuntimeException.
      throw new IllegalArgumentException("it is not a PKCS#10 request in DER", e);
    }
    throw new IllegalArgumentException("it is not a PKCS#10 request in DER");
  }

  private static void requireName(X500Name subject, AgentId expected) {
    List<ASN1Encodable> commonNames = new ArrayList<>();
    for (RDN rdn : subject.getRDNs()) {
      for (AttributeTypeAndValue part : rdn.getTypesAndValues()) {
        if (part.getType().equals(BCStyle.CN)) {
          commonNames.add(part.getValue());
        }
      }
    }
    if (commonNames.size() != 1) {
      throw new IllegalArgumentException(
          "its subject has " + commonNames.size() + " common names; it needs one, the agent id");
    }
    ASN1Encodable value = commonNames.get(0);
    boolean isPlainText = value instanceof ASN1UTF8String || value instanceof ASN1PrintableString;
    if (!isPlainText || !((ASN1String) value).getString().equals(expected.value())) {
      throw new IllegalArgumentException("its common name is not the agent id '" + expected + "'");
    }
  }
}
