package coral.audit;

import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;

/** Signs the roots of the log. May take milliseconds of a core, or wait for a device. */
@FunctionalInterface
public interface AuditSigner {
  /**
   * A signature and who made it.
   *
   * @param bytes by {@link #algorithm} of the signer's key
   * @param certificates PEM: the signer's certificate, then those between it and the root
   */
  @SuppressWarnings("ArrayRecordComponent") // an answer, compared by nobody
  record Signed(byte[] bytes, String certificates) {}

  /**
   * Signs a text.
   *
   * @throws GeneralSecurityException if the key cannot be used now
   */
  Signed sign(byte[] text) throws GeneralSecurityException;

  /** A signer with a key at hand. */
  static AuditSigner of(PrivateKey key, String certificates) {
    return text -> {
      Signature signature = Signature.getInstance(algorithm(key.getAlgorithm()));
      signature.initSign(key);
      signature.update(text);
      return new Signed(signature.sign(), certificates);
    };
  }

  /** Whether a signature is that of the key over the text. */
  static boolean verifies(PublicKey key, byte[] text, byte[] signed) {
    try {
      Signature signature = Signature.getInstance(algorithm(key.getAlgorithm()));
      signature.initVerify(key);
      signature.update(text);
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  /** SHA-256 with RSA (PKCS #1 v1.5) or ECDSA; EdDSA as it is. */
  private static String algorithm(String keyAlgorithm) {
    return switch (keyAlgorithm) {
      case "RSA" -> "SHA256withRSA";
      case "EC" -> "SHA256withECDSA";
      default -> keyAlgorithm;
    };
  }
}
