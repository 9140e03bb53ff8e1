package coral.certificate;

import coral.files.EncryptedKeys;
import coral.files.Pem;
import coral.files.SecureFiles;
import coral.model.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keys in files of mode 0600 in a folder of mode 0700: {@code <name>-key.pem}, PKCS#8, encrypted if
 * there is a passphrase.
 */
public final class KeyFiles implements AuthorityKeys {
  private static final Logger log = LoggerFactory.getLogger(KeyFiles.class);

  private final Path directory;
  private final Optional<Secret> passphrase;

  /** Keys in a folder, not encrypted. */
  public KeyFiles(Path directory) {
    this(directory, Optional.empty());
  }

  /**
   * Keys in a folder, which is made when the first is kept.
   *
   * @param passphrase encrypts every key; one that is not encrypted yet is when it is read
   */
  public KeyFiles(Path directory, Optional<Secret> passphrase) {
    this.directory = directory;
    this.passphrase = passphrase;
  }

  @Override
  public KeyPair generate(KeyType type) {
    return type.generate();
  }

  @Override
  public void put(String name, PrivateKey key, X509Certificate certificate) throws IOException {
    SecureFiles.createDirectory(directory);
    write(name, key);
  }

  @Override
  public Optional<PrivateKey> get(String name) throws IOException {
    Path file = file(name);
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return Optional.empty();
    }
    SecureFiles.createDirectory(directory); // which refuses one that is open to others
    byte[] text = SecureFiles.readPrivate(file, Pem.MAX_BUNDLE_BYTES);
    try {
      PrivateKey key = EncryptedKeys.decode(text, passphrase);
      if (passphrase.isPresent() && !EncryptedKeys.isEncrypted(text)) {
        write(name, key);
        log.info("Encrypted {} with the configured passphrase", file);
      }
      return Optional.of(key);
    } catch (IllegalArgumentException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    } finally {
      Arrays.fill(text, (byte) 0);
    }
  }

  @Override
  public void remove(String name) throws IOException {
    Files.deleteIfExists(file(name));
  }

  @Override
  public String description() {
    return directory.toString();
  }

  private void write(String name, PrivateKey key) throws IOException {
    SecureFiles.write(
        file(name), EncryptedKeys.encode(key, passphrase).getBytes(StandardCharsets.US_ASCII));
  }

  private Path file(String name) {
    return directory.resolve(name + "-key.pem");
  }
}
