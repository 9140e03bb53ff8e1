package coral.certificate;

import coral.files.SecureFiles;
import coral.model.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What keys a colony's authority has, and where they are; every key stands in {@code colony.conf}.
 *
 * @param keyType of the keys that are made from now on, of roots and of intermediates
 * @param passphrase encrypts keys in files
 * @param passphraseFile holds the passphrase, of mode 0600; goes before {@code passphrase}
 * @param device holds the keys instead of files
 */
public record AuthoritySettings(
    KeyType keyType,
    Optional<Secret> passphrase,
    Optional<Path> passphraseFile,
    Optional<Device> device) {
  private static final int MAX_PASSPHRASE_BYTES = 4096;

  /**
   * A PKCS#11 device.
   *
   * @param library the device maker's
   * @param slot the number of the token's slot
   * @param pinFile of mode 0600
   */
  public record Device(Path library, long slot, Path pinFile) {}

  /**
   * As RFD 020 has it, in files that nothing but their mode protects. It has RSA-4096 for what
   * signs an agent's certificate, and so have both intermediates: 190 signatures a second and core.
   * P-256 signs 14,000 and is made in a millisecond.
   */
  public static AuthoritySettings defaults() {
    return new AuthoritySettings(
        KeyType.RSA_4096, Optional.empty(), Optional.empty(), Optional.empty());
  }

  /**
   * Opens the place of the keys.
   *
   * @param directory of the colony
   * @throws IOException naming the file or the device that cannot be used
   */
  public AuthorityKeys open(Path directory) throws IOException {
    if (device.isPresent()) {
      Device given = device.get();
      return Pkcs11Keys.open(given.library(), given.slot(), secret(given.pinFile()));
    }
    return new KeyFiles(directory, filePassphrase());
  }

  /**
   * What encrypts keys in files; empty if their mode alone guards them.
   *
   * @throws IOException naming the file that cannot be used
   */
  public Optional<Secret> filePassphrase() throws IOException {
    return passphraseFile.isPresent() ? Optional.of(secret(passphraseFile.get())) : passphrase;
  }

  private static Secret secret(Path file) throws IOException {
    String text =
        new String(SecureFiles.readPrivate(file, MAX_PASSPHRASE_BYTES), StandardCharsets.UTF_8)
            .strip();
    if (text.isEmpty()) {
      throw new IOException(file + " is empty where the secret of the authority's keys should be");
    }
    return new Secret(text);
  }
}
