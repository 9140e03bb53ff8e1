package coral.certificate;

import com.typesafe.config.Config;
import coral.files.SecureFiles;
import coral.model.Secret;
import coral.settings.SettingsReader;
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
   * Reads {@code coral.colony.authority}.
   *
   * @param config the whole configuration, resolved
   * @throws coral.settings.SettingsException naming the key, its value and what was expected
   */
  public static AuthoritySettings from(Config config) {
    SettingsReader reader = SettingsReader.of(config, "coral.colony.authority");
    KeyType type = reader.value("key-type", "rsa-4096, rsa-3072 or p-256", AuthoritySettings::type);
    SettingsReader device = reader.at("pkcs11");
    Optional<Path> library = device.optionalPath("library");
    return new AuthoritySettings(
        type,
        reader.optionalSecret("passphrase"),
        reader.optionalPath("passphrase-file"),
        library.map(
            path ->
                new Device(
                    path, device.integer("slot", 0, Integer.MAX_VALUE), device.path("pin-file"))));
  }

  /** No less than 128 bits of security (NIST SP 800-57): the mesh's own keys have as much. */
  private static KeyType type(String text) {
    return switch (text) {
      case "rsa-4096" -> KeyType.RSA_4096;
      case "rsa-3072" -> KeyType.RSA_3072;
      case "p-256" -> KeyType.P_256;
      default -> throw new IllegalArgumentException("not a key type of an authority");
    };
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
    return new KeyFiles(
        directory,
        passphraseFile.isPresent() ? Optional.of(secret(passphraseFile.get())) : passphrase);
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
