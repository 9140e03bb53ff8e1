package coral.files;

import coral.model.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.PrivateKey;
import java.security.Provider;
import java.util.Arrays;
import java.util.Optional;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.pkcs.PKCS8EncryptedPrivateKeyInfo;
import org.bouncycastle.pkcs.PKCS8EncryptedPrivateKeyInfoBuilder;
import org.bouncycastle.pkcs.PKCSException;
import org.bouncycastle.pkcs.jcajce.JcePKCSPBEInputDecryptorProviderBuilder;
import org.bouncycastle.pkcs.jcajce.JcePKCSPBEOutputEncryptorBuilder;

/**
 * Private keys as text, encrypted where there is a passphrase: PKCS#8 with PBES2 (RFC 8018),
 * AES-256 and PBKDF2, as {@code openssl pkcs8} reads and writes it.
 */
public final class EncryptedKeys {
  /** A private key in PKCS#8, encrypted (RFC 7468, section 11). */
  public static final String ENCRYPTED_PRIVATE_KEY = "ENCRYPTED PRIVATE KEY";

  /** OWASP's advice for PBKDF2 with HMAC-SHA-256; a fifth of a second. */
  private static final int ITERATIONS = 600_000;

  private static final String BEGIN = "-----BEGIN " + ENCRYPTED_PRIVATE_KEY + "-----";

  private static final Provider PROVIDER = new BouncyCastleProvider();

  private EncryptedKeys() {}

  /**
   * A key as text, for {@link SecureFiles} and nothing else. Takes a fifth of a second with a
   * passphrase.
   *
   * @param passphrase empty: the key is not encrypted
   * @throws IllegalArgumentException if the key cannot leave its device
   */
  public static String encode(PrivateKey key, Optional<Secret> passphrase) {
    String plain = Pem.encode(key);
    if (passphrase.isEmpty()) {
      return plain;
    }
    char[] characters = passphrase.get().reveal().toCharArray();
    try {
      byte[] encrypted =
          new PKCS8EncryptedPrivateKeyInfoBuilder(PrivateKeyInfo.getInstance(key.getEncoded()))
              .build(
                  new JcePKCSPBEOutputEncryptorBuilder(NISTObjectIdentifiers.id_aes256_CBC)
                      .setProvider(PROVIDER)
                      .setPRF(
                          new AlgorithmIdentifier(
                              PKCSObjectIdentifiers.id_hmacWithSHA256, DERNull.INSTANCE))
                      .setIterationCount(ITERATIONS)
                      .build(characters))
              .getEncoded();
      return Pem.encode(ENCRYPTED_PRIVATE_KEY, encrypted);
    } catch (OperatorCreationException | IOException e) {
      throw new IllegalStateException("the provider has AES-256 and PBKDF2", e);
    } finally {
      Arrays.fill(characters, '\0');
    }
  }

  /** Whether a text begins like an encrypted key. */
  public static boolean isEncrypted(byte[] text) {
    return new String(text, StandardCharsets.US_ASCII).strip().startsWith(BEGIN);
  }

  /**
   * The key of a text, encrypted or not.
   *
   * @param passphrase not needed for a key that is not encrypted
   * @throws IllegalArgumentException if the text is no key, or the passphrase is missing or wrong;
   *     the message says nothing of either
   */
  public static PrivateKey decode(byte[] text, Optional<Secret> passphrase) {
    if (!isEncrypted(text)) {
      return Pem.privateKey(text);
    }
    if (passphrase.isEmpty()) {
      throw new IllegalArgumentException(
          "the private key is encrypted; configure the passphrase that it was written with");
    }
    byte[] der = Pem.decode(ENCRYPTED_PRIVATE_KEY, text, Pem.MAX_BUNDLE_BYTES);
    char[] characters = passphrase.get().reveal().toCharArray();
    PrivateKeyInfo key;
    try {
      key =
          new PKCS8EncryptedPrivateKeyInfo(der)
              .decryptPrivateKeyInfo(
                  new JcePKCSPBEInputDecryptorProviderBuilder()
                      .setProvider(PROVIDER)
                      .build(characters));
    } catch (PKCSException | IOException | RuntimeException e) {
      // What padding or structure is wrong says nothing to people, and may show a part of the key.
      throw new IllegalArgumentException(
          "the private key cannot be decrypted; check that the configured passphrase is the one"
              + " that it was written with");
    } finally {
      Arrays.fill(characters, '\0');
    }
    try {
      return Pem.privateKey(
          Pem.encode(Pem.PRIVATE_KEY, key.getEncoded()).getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      throw new IllegalArgumentException("not a private key in PKCS#8", e);
    }
  }
}
