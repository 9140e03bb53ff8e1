package coral.certificate;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAKey;
import java.util.HexFormat;
import org.bouncycastle.asn1.x509.Certificate;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/** What is asked about public keys. */
final class PublicKeys {
  private PublicKeys() {}

  /** The SHA-256 of a key's SubjectPublicKeyInfo, in 64 lower-case hexadecimal digits. */
  static String hash(PublicKey key) {
    return sha256(key.getEncoded());
  }

  static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java runtime has SHA-256", e);
    }
  }

  /** Whether the two are a pair: what one signs, the other verifies. */
  static boolean matches(PrivateKey privateKey, PublicKey publicKey) {
    if (!privateKey.getAlgorithm().equals(publicKey.getAlgorithm())) {
      return false;
    }
    if (privateKey instanceof RSAKey mine
        && publicKey instanceof RSAKey theirs
        && !mine.getModulus().equals(theirs.getModulus())) {
      return false;
    }
    byte[] message = new byte[32];
    try {
      Signature signature = Signature.getInstance(signatureAlgorithm(privateKey.getAlgorithm()));
      signature.initSign(privateKey);
      signature.update(message);
      byte[] signed = signature.sign();
      signature.initVerify(publicKey);
      signature.update(message);
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  /**
   * Verifies a certificate's signature: P-256 by BouncyCastle, which is five times faster at it
   * than Java 17, RSA by the Java runtime.
   *
   * @throws GeneralSecurityException if it is not by this key
   * @throws IllegalArgumentException if it is not by this key
   */
  static void verify(X509Certificate certificate, PublicKey issuer)
      throws GeneralSecurityException {
    if (!issuer.getAlgorithm().equals("EC")) {
      certificate.verify(issuer);
      return;
    }
    Certificate structure = Certificate.getInstance(certificate.getEncoded());
    RequestedKey.parse(SubjectPublicKeyInfo.getInstance(issuer.getEncoded()))
        .requireSignature(
            certificate.getTBSCertificate(),
            structure.getSignatureAlgorithm(),
            structure.getSignature());
  }

  /** The algorithm that a key of this kind signs with. */
  static String signatureAlgorithm(String keyAlgorithm) {
    return switch (keyAlgorithm) {
      case "RSA" -> "SHA256withRSA";
      case "EC" -> "SHA256withECDSA";
      default -> keyAlgorithm; // EdDSA: the key says it all
    };
  }
}
