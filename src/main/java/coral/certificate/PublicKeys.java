package coral.certificate;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.RSAKey;
import java.util.HexFormat;

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

  /** The algorithm that a key of this kind signs with. */
  static String signatureAlgorithm(String keyAlgorithm) {
    return switch (keyAlgorithm) {
      case "RSA" -> "SHA256withRSA";
      case "EC" -> "SHA256withECDSA";
      default -> keyAlgorithm; // EdDSA: the key says it all
    };
  }
}
