package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.AgentId;
import coral.model.Secret;
import coral.testing.Openssl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Cases S6 and S7: an authority's keys at rest. */
class KeyFilesTest {
  private static final List<String> FILES =
      List.of("ca-key.pem", "ca-server-1-key.pem", "ca-agent-1-key.pem");
  private static final Optional<Secret> PASSPHRASE = Optional.of(new Secret("correct horse"));

  @TempDir Path directory;

  @Test
  void keysAreEncryptedWithThePassphraseAndUselessWithoutIt() throws Exception {
    Openssl.require();
    Path home = directory.resolve("colony");
    KeyFiles keys = new KeyFiles(home, PASSPHRASE);
    issue(Authority.create(Roots.COLONY, home, keys, KeyType.P_256, Roots.CLOCK));
    for (String file : FILES) {
      Path path = home.resolve(file);
      assertTrue(Files.readString(path).startsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
      assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
    }
    issue(Authority.load(home, keys));
    assertRefused(home, Optional.empty(), "is encrypted");
    assertRefused(home, Optional.of(new Secret("wrong horse")), "cannot be decrypted");
    String structure = Openssl.run("asn1parse", "-in", home.resolve("ca-key.pem").toString());
    assertTrue(structure.contains("PBES2") && structure.contains("aes-256-cbc"), structure);
    String opened =
        Openssl.run(
            "pkey",
            "-in",
            home.resolve("ca-key.pem").toString(),
            "-passin",
            "pass:correct horse",
            "-noout",
            "-check");
    assertTrue(opened.contains("Key is valid"), opened);
  }

  @Test
  void keysThatWereNotEncryptedAreOnceThereIsAPassphrase() throws Exception {
    Path home = directory.resolve("colony");
    Authority.create(Roots.COLONY, home, new KeyFiles(home), KeyType.P_256, Roots.CLOCK);
    assertTrue(Files.readString(home.resolve("ca-key.pem")).startsWith("-----BEGIN PRIVATE KEY"));
    issue(Authority.load(home, new KeyFiles(home, PASSPHRASE)));
    for (String file : FILES) {
      assertTrue(Files.readString(home.resolve(file)).startsWith("-----BEGIN ENCRYPTED"), file);
    }
    assertRefused(home, Optional.empty(), "is encrypted");
  }

  @Test
  void aFolderOrFileThatOthersCanReadIsRefused() throws Exception {
    Path home = directory.resolve("colony");
    Authority.create(Roots.COLONY, home, new KeyFiles(home), KeyType.P_256, Roots.CLOCK);
    Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxr-x---"));
    assertRefused(home, Optional.empty(), "chmod 700");
    Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwx------"));
    Files.setPosixFilePermissions(
        home.resolve("ca-agent-1-key.pem"), PosixFilePermissions.fromString("rw-r-----"));
    assertRefused(home, Optional.empty(), "chmod 600");
  }

  @Test
  void thePassphraseIsInNoTextOfTheSettings() {
    AuthoritySettings settings =
        new AuthoritySettings(KeyType.P_256, PASSPHRASE, Optional.empty(), Optional.empty());
    assertFalse(settings.toString().contains("horse"), settings::toString);
  }

  private static void assertRefused(Path home, Optional<Secret> passphrase, String reason) {
    IOException refused =
        assertThrows(IOException.class, () -> Authority.load(home, new KeyFiles(home, passphrase)));
    assertTrue(String.valueOf(refused.getMessage()).contains(reason), refused::getMessage);
    assertFalse(String.valueOf(refused).contains("horse"));
  }

  private static void issue(Authority authority) throws Exception {
    X509Certificate leaf =
        authority.issue(
            CertificateProfile.agent(Roots.COLONY, new AgentId("web")),
            Roots.EC.getPublic(),
            Roots.NOW,
            Duration.ofDays(1));
    leaf.verify(authority.chain(leaf).get(1).getPublicKey());
  }
}
