package coral.token;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.files.SecureFiles;
import coral.model.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** S6, S7, J14: keys over restarts, of discovery and of a colony. */
final class KeyFilesTest {
  private static final Instant START = Instant.parse("2026-03-01T12:00:00Z");
  private static final InstantSource CLOCK = InstantSource.fixed(START);
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final TokenSettings SETTINGS = TokenSettings.defaults();
  private static final Optional<Secret> PASSPHRASE = Optional.of(new Secret("correct horse"));

  @TempDir Path temporary;
  private Path directory = Path.of("");

  @BeforeEach
  void closeTheDirectory() throws IOException {
    directory = temporary.resolve("discovery");
    SecureFiles.createDirectory(directory);
  }

  @Test
  void j14KeysSurviveARestart() throws IOException {
    SigningKeysFile file = new SigningKeysFile(directory, Optional.empty());
    SigningKeys made = file.loadOrCreate(CLOCK, RANDOM);
    assertSame(made, file.loadOrCreate(CLOCK, RANDOM));
    SigningKeys keys = made;
    Instant now = START;
    for (int i = 0; i < 3; i++) {
      now = now.plus(SETTINGS.rotation());
      keys = keys.rotated(now, SETTINGS, RANDOM);
      file.save(keys);
      assertSame(
          keys, new SigningKeysFile(directory, Optional.empty()).loadOrCreate(CLOCK, RANDOM));
    }
    assertEquals(5, keys.published().size());
    AcceptedKeys.onFirstUse(made.published()).follow(keys.published());
  }

  /** J14: a crash before the rename leaves the old keys, one after it the new ones. */
  @Test
  void j14ACrashInARotationLosesNoKey() throws IOException {
    SigningKeysFile file = new SigningKeysFile(directory, Optional.empty());
    SigningKeys before = file.loadOrCreate(CLOCK, RANDOM);
    AcceptedKeys colony = AcceptedKeys.onFirstUse(before.published());
    SigningKeys after = before.rotated(START.plus(SETTINGS.rotation()), SETTINGS, RANDOM);
    byte[] old = Files.readAllBytes(directory.resolve(SigningKeysFile.NAME));
    file.save(after);
    byte[] whole = Files.readAllBytes(directory.resolve(SigningKeysFile.NAME));
    SecureFiles.write(directory.resolve(SigningKeysFile.NAME), old);
    for (int length = 0; length <= whole.length; length += whole.length / 7 + 1) {
      Path left = directory.resolve("." + SigningKeysFile.NAME + ".0011223344556677.tmp");
      Files.write(left, java.util.Arrays.copyOf(whole, length));
      assertSame(before, file.loadOrCreate(CLOCK, RANDOM));
    }
    SecureFiles.write(directory.resolve(SigningKeysFile.NAME), whole);
    SigningKeys restarted = file.loadOrCreate(CLOCK, RANDOM);
    assertSame(after, restarted);
    assertTrue(colony.isKnown(restarted.current().publicKey().id()), "it was published as next");
    colony.follow(restarted.published());
  }

  /** S7 */
  @Test
  void s7KeysAreEncryptedWhereThereIsAPassphrase() throws IOException {
    SigningKeys made = new SigningKeysFile(directory, PASSPHRASE).loadOrCreate(CLOCK, RANDOM);
    String text = text();
    assertEquals(3, text.split("BEGIN ENCRYPTED PRIVATE KEY", -1).length);
    assertFalse(text.contains("BEGIN PRIVATE KEY"));
    assertFalse(text.contains("correct horse"));
    assertSame(made, new SigningKeysFile(directory, PASSPHRASE).loadOrCreate(CLOCK, RANDOM));
    for (Optional<Secret> wrong :
        java.util.List.of(Optional.<Secret>empty(), Optional.of(new Secret("wrong")))) {
      IOException refused =
          assertThrows(
              IOException.class,
              () -> new SigningKeysFile(directory, wrong).loadOrCreate(CLOCK, RANDOM));
      assertTrue(String.valueOf(refused.getMessage()).contains("passphrase"), refused.getMessage());
      assertTrue(
          String.valueOf(refused.getMessage()).contains(SigningKeysFile.NAME),
          refused.getMessage());
    }
    assertEquals(text, text(), "a refusal changes nothing");
  }

  /** S7 */
  @Test
  void s7APassphraseThatIsConfiguredLaterEncryptsTheKeys() throws IOException {
    SigningKeys made = new SigningKeysFile(directory, Optional.empty()).loadOrCreate(CLOCK, RANDOM);
    assertTrue(text().contains("BEGIN PRIVATE KEY"));
    assertSame(made, new SigningKeysFile(directory, PASSPHRASE).loadOrCreate(CLOCK, RANDOM));
    assertFalse(text().contains("BEGIN PRIVATE KEY"));
    assertSame(made, new SigningKeysFile(directory, PASSPHRASE).loadOrCreate(CLOCK, RANDOM));
  }

  /** S6 */
  @Test
  void s6KeysThatOthersMayReadAreRefused() throws IOException {
    SigningKeysFile file = new SigningKeysFile(directory, Optional.empty());
    file.loadOrCreate(CLOCK, RANDOM);
    Path path = directory.resolve(SigningKeysFile.NAME);
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-r-----"));
    IOException refused = assertThrows(IOException.class, () -> file.loadOrCreate(CLOCK, RANDOM));
    assertTrue(String.valueOf(refused.getMessage()).contains("chmod 600"), refused.getMessage());
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-x---"));
    refused = assertThrows(IOException.class, () -> file.loadOrCreate(CLOCK, RANDOM));
    assertTrue(String.valueOf(refused.getMessage()).contains("chmod 700"), refused.getMessage());
  }

  /** A file that cannot be read is never taken for none: new keys would lock every colony out. */
  @Test
  void aDamagedFileOfKeysIsRefusedAndLeftAsItIs() throws IOException {
    SigningKeysFile file = new SigningKeysFile(directory, Optional.empty());
    file.loadOrCreate(CLOCK, RANDOM);
    String whole = text();
    String strangers =
        whole.replaceFirst(
            "(?s)(\"next\".*?\"endorsement\" : \")[^\"]*",
            "$1" + java.util.Base64.getEncoder().encodeToString(new byte[64]));
    for (String damaged :
        java.util.List.of(
            "",
            "{}",
            "[]",
            whole.substring(0, whole.length() / 2),
            whole + "}",
            whole.replace("\"version\" : 1", "\"version\" : 2"),
            whole.replace("BEGIN PRIVATE", "BEGIN PUBLIC"),
            whole.replace("\"since\"", "\"sinse\""),
            strangers)) {
      assertFalse(damaged.equals(whole), "the test's change has no effect");
      SecureFiles.write(
          directory.resolve(SigningKeysFile.NAME), damaged.getBytes(StandardCharsets.UTF_8));
      IOException refused =
          assertThrows(IOException.class, () -> file.loadOrCreate(CLOCK, RANDOM), damaged);
      assertTrue(
          String.valueOf(refused.getMessage()).contains(SigningKeysFile.NAME),
          refused.getMessage());
      assertEquals(damaged, text());
    }
  }

  @Test
  void j14AColonyKeepsWhatItAcceptedOverARestart() throws IOException {
    AcceptedKeysFile file = new AcceptedKeysFile(directory);
    assertEquals(Optional.empty(), file.load());
    SigningKeys keys = SigningKeys.first(START, RANDOM);
    AcceptedKeys accepted = AcceptedKeys.onFirstUse(keys.published());
    file.save(accepted);
    assertEquals(Optional.of(accepted), file.load());
    AcceptedKeys followed =
        accepted.follow(
            keys.rotated(START.plus(SETTINGS.rotation()), SETTINGS, RANDOM).published());
    file.save(followed);
    assertEquals(Optional.of(followed), new AcceptedKeysFile(directory).load());
    assertEquals(followed.all(), file.load().orElseThrow().all());
  }

  /** To trust anew on a damaged file would be to trust anybody. */
  @Test
  void aDamagedFileOfAcceptedKeysIsNotTakenForNone() throws IOException {
    AcceptedKeysFile file = new AcceptedKeysFile(directory);
    for (String damaged :
        java.util.List.of("", "{}", "{\"version\":1}", "{\"version\":1,\"keys\":[{}]}", "x")) {
      SecureFiles.write(
          directory.resolve(AcceptedKeysFile.NAME), damaged.getBytes(StandardCharsets.UTF_8));
      IOException refused = assertThrows(IOException.class, file::load, damaged);
      assertTrue(
          String.valueOf(refused.getMessage()).contains(AcceptedKeysFile.NAME),
          refused.getMessage());
    }
    Files.setPosixFilePermissions(
        directory.resolve(AcceptedKeysFile.NAME), PosixFilePermissions.fromString("rw-rw-rw-"));
    assertThrows(IOException.class, file::load);
  }

  private String text() throws IOException {
    return Files.readString(directory.resolve(SigningKeysFile.NAME));
  }

  private static void assertSame(SigningKeys expected, SigningKeys actual) {
    assertEquals(expected.published(), actual.published());
    assertEquals(expected.current().publicKey(), actual.current().publicKey());
    assertEquals(expected.currentSince(), actual.currentSince());
  }
}
