package coral.certificate;

import coral.files.Pem;
import coral.model.Failure;
import coral.model.RefusedException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.List;
import org.bouncycastle.asn1.ASN1BitString;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;

/**
 * What a holder shows who has lost its certificate to time: the certificate, and that it still has
 * the key. Nothing of it has been checked.
 *
 * @param certificatePem as it was sent
 * @param signature by the certificate's key over the DER of the PKCS#10 request, SHA256withRSA or
 *     SHA256withECDSA
 */
@SuppressWarnings("ArrayRecordComponent") // a message, compared by nobody
public record PreviousKeyProof(byte[] certificatePem, byte[] signature) {
  private static final AlgorithmIdentifier RSA =
      new AlgorithmIdentifier(PKCSObjectIdentifiers.sha256WithRSAEncryption, DERNull.INSTANCE);
  private static final AlgorithmIdentifier ECDSA =
      new AlgorithmIdentifier(X9ObjectIdentifiers.ecdsa_with_SHA256);

  /**
   * The proof of a certificate's holder for a request.
   *
   * @param csrPem the request, as it is sent
   * @throws IllegalArgumentException if the key cannot sign
   */
  public static PreviousKeyProof create(X509Certificate previous, PrivateKey key, byte[] csrPem) {
    try {
      Signature signer = Signature.getInstance(PublicKeys.signatureAlgorithm(key.getAlgorithm()));
      signer.initSign(key);
      signer.update(request(csrPem));
      return new PreviousKeyProof(
          Pem.encode(previous).getBytes(StandardCharsets.US_ASCII), signer.sign());
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException("this key cannot sign a request", e);
    }
  }

  /**
   * The certificate whose key signed the request; whether it is one of ours is not known yet. The
   * policy on keys comes before the signature, as with requests.
   *
   * @throws RefusedException INVALID_ARGUMENT, saying what is wrong
   */
  IssueRequest.Previous verify(byte[] csrPem) {
    try {
      if (certificatePem.length > Pem.MAX_REQUEST_BYTES) {
        throw new IllegalArgumentException("it has more than " + Pem.MAX_REQUEST_BYTES + " bytes");
      }
      List<X509Certificate> certificates = Pem.certificates(certificatePem);
      if (certificates.size() != 1) {
        throw new IllegalArgumentException("it is not one certificate");
      }
      X509Certificate certificate = certificates.get(0);
      PublicKey key = certificate.getPublicKey();
      ASN1BitString signed = new DERBitString(signature);
      RequestedKey.parse(SubjectPublicKeyInfo.getInstance(key.getEncoded()))
          .requireSignature(
              request(csrPem), key.getAlgorithm().equals("RSA") ? RSA : ECDSA, signed);
      return new IssueRequest.Previous(
          SerialNumbers.hex(certificate.getSerialNumber()),
          CertificateLedger.fingerprint(certificate).value());
    } catch (RuntimeException e) {
      // A parser of strangers' bytes fails with whatever it meets.
      RefusedException refused =
          new RefusedException(
              Failure.INVALID_ARGUMENT,
              "the previous certificate is refused: "
                  + (e instanceof IllegalArgumentException ? e.getMessage() : "it is malformed"));
      refused.initCause(e);
      throw refused;
    }
  }

  private static byte[] request(byte[] csrPem) {
    return Pem.decode(Pem.CERTIFICATE_REQUEST, csrPem, Pem.MAX_REQUEST_BYTES);
  }
}
