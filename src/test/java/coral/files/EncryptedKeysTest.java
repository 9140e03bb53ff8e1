package coral.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** S7: private keys at rest. */
final class EncryptedKeysTest {
  private static final Optional<Secret> PASSPHRASE = Optional.of(new Secret("pässphrase 1"));

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"RSA", "EC", "Ed25519"})
  void s7AKeyIsReadWithItsPassphraseOnly(String algorithm) throws GeneralSecurityException {
    PrivateKey key = KeyPairGenerator.getInstance(algorithm).generateKeyPair().getPrivate();
    byte[] text = bytes(EncryptedKeys.encode(key, PASSPHRASE));
    assertTrue(EncryptedKeys.isEncrypted(text));
    assertEquals(key, EncryptedKeys.decode(text, PASSPHRASE));
    for (Optional<Secret> wrong :
        List.of(Optional.<Secret>empty(), Optional.of(new Secret("passphrase 1")))) {
      IllegalArgumentException refused =
          assertThrows(IllegalArgumentException.class, () -> EncryptedKeys.decode(text, wrong));
      assertTrue(String.valueOf(refused.getMessage()).contains("passphrase"), refused.getMessage());
      assertFalse(
          String.valueOf(refused.getMessage()).contains("passphrase 1"), refused.getMessage());
    }
  }

  @Test
  void aKeyWithoutAPassphraseIsPlain() throws GeneralSecurityException {
    PrivateKey key = KeyPairGenerator.getInstance("EC").generateKeyPair().getPrivate();
    byte[] text = bytes(EncryptedKeys.encode(key, Optional.empty()));
    assertFalse(EncryptedKeys.isEncrypted(text));
    assertEquals(key, EncryptedKeys.decode(text, Optional.empty()));
    assertEquals(key, EncryptedKeys.decode(text, PASSPHRASE));
  }

  @Test
  void theSameKeyIsNeverTheSameTextTwice() throws GeneralSecurityException {
    PrivateKey key = KeyPairGenerator.getInstance("Ed25519").generateKeyPair().getPrivate();
    assertFalse(
        EncryptedKeys.encode(key, PASSPHRASE).equals(EncryptedKeys.encode(key, PASSPHRASE)));
  }

  @Test
  void textThatIsNoEncryptedKeyIsRefused() throws GeneralSecurityException {
    PrivateKey key = KeyPairGenerator.getInstance("Ed25519").generateKeyPair().getPrivate();
    String text = EncryptedKeys.encode(key, PASSPHRASE);
    String begin = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n";
    for (String bad :
        List.of(
            begin,
            begin + "AAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            text.substring(0, text.length() / 2),
            text + text)) {
      assertThrows(
          IllegalArgumentException.class, () -> EncryptedKeys.decode(bytes(bad), PASSPHRASE), bad);
    }
  }

  /** An operator reads our keys with OpenSSL, and brings keys that it encrypted. */
  @Test
  void s7OpenSslReadsAndWritesTheSameForm()
      throws GeneralSecurityException, IOException, InterruptedException {
    Optional<Secret> ascii = Optional.of(new Secret("correct horse"));
    PrivateKey key = KeyPairGenerator.getInstance("EC").generateKeyPair().getPrivate();
    Path ours = directory.resolve("ours.pem");
    Files.writeString(ours, EncryptedKeys.encode(key, ascii));
    String plain = openssl("pkcs8", "-in", ours.toString(), "-passin", "pass:correct horse");
    assertEquals(key, Pem.privateKey(bytes(plain)));
    Path theirs = directory.resolve("theirs.pem");
    Path plainFile = directory.resolve("plain.pem");
    Files.writeString(plainFile, Pem.encode(key));
    openssl(
        "pkcs8",
        "-topk8",
        "-v2",
        "aes-256-cbc",
        "-v2prf",
        "hmacWithSHA256",
        "-in",
        plainFile.toString(),
        "-out",
        theirs.toString(),
        "-passout",
        "pass:correct horse");
    assertEquals(key, EncryptedKeys.decode(Files.readAllBytes(theirs), ascii));
    openssl(
        "pkcs8",
        "-topk8",
        "-scrypt",
        "-in",
        plainFile.toString(),
        "-out",
        theirs.toString(),
        "-passout",
        "pass:correct horse");
    assertEquals(key, EncryptedKeys.decode(Files.readAllBytes(theirs), ascii));
    String structure = openssl("asn1parse", "-in", ours.toString());
    assertTrue(structure.contains("aes-256-cbc"), structure);
    assertTrue(structure.contains("hmacWithSHA256"), structure);
  }

  private String openssl(String... arguments) throws IOException, InterruptedException {
    List<String> command = new java.util.ArrayList<>(List.of("openssl"));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command)
            .redirectError(directory.resolve("openssl.log").toFile())
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue(), Files.readString(directory.resolve("openssl.log")));
    return output;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
