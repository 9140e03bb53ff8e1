package coral.certificate;

import coral.files.Pem;
import coral.files.SecureFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Optional;

/** Keys in files of mode 0600 in a folder of mode 0700: {@code <name>-key.pem}, PKCS#8. */
public final class KeyFiles implements AuthorityKeys {
  private final Path directory;

  /** Keys in a folder, which is made when the first is kept. */
  public KeyFiles(Path directory) {
    this.directory = directory;
  }

  @Override
  public KeyPair generate(KeyType type) {
    return type.generate();
  }

  @Override
  public void put(String name, PrivateKey key, X509Certificate certificate) throws IOException {
    SecureFiles.createDirectory(directory);
    SecureFiles.write(file(name), Pem.encode(key).getBytes(StandardCharsets.US_ASCII));
  }

  @Override
  public Optional<PrivateKey> get(String name) throws IOException {
    Path file = file(name);
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return Optional.empty();
    }
    SecureFiles.createDirectory(directory); // which refuses one that is open to others
    return Optional.of(Pem.readPrivateKey(file));
  }

  @Override
  public void remove(String name) throws IOException {
    Files.deleteIfExists(file(name));
  }

  @Override
  public String description() {
    return directory.toString();
  }

  private Path file(String name) {
    return directory.resolve(name + "-key.pem");
  }
}
