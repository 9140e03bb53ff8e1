package coral.ownership;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.files.SecureFiles;
import coral.model.Ed25519PublicKey;
import coral.model.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ColonyOwnerTest {
  private static final RotationStatement STATEMENT =
      new RotationStatement("shop", new Secret("one"), new Secret("two"), Duration.ofHours(1));
  private static final Optional<Secret> PASSPHRASE = Optional.of(new Secret("correct horse"));

  @TempDir Path temporary;
  private Path directory = Path.of("");
  private Instant now = Instant.parse("2026-01-01T00:00:00Z");

  @BeforeEach
  void makeFolder() throws IOException {
    directory = temporary.resolve("colony");
    SecureFiles.createDirectory(directory);
  }

  private ColonyOwner open(Optional<Secret> passphrase) throws IOException {
    return ColonyOwner.open(directory, passphrase, () -> now);
  }

  private static boolean verified(ColonyOwner.Signed signed, OwnerStatement statement) {
    return signed.publicKey().verifies(statement.bytes(signed.sequence()), signed.signature());
  }

  @Test
  void whatAnOwnerSignsIsVerifiedAndNothingElseIs() throws IOException {
    ColonyOwner.Signed signed = open(Optional.empty()).sign(STATEMENT);
    assertTrue(verified(signed, STATEMENT));
    Ed25519PublicKey key = Ed25519PublicKey.of(signed.publicKey().toBytes());
    assertEquals(key, Ed25519PublicKey.parse(key.toString()));
    assertFalse(key.verifies(STATEMENT.bytes(signed.sequence() + 1), signed.signature()));
    assertFalse(
        verified(
            signed,
            new RotationStatement(
                "shop", new Secret("one"), new Secret("three"), Duration.ofHours(1))));
    byte[] other = signed.signature().clone();
    other[5] ^= 1;
    assertFalse(key.verifies(STATEMENT.bytes(signed.sequence()), other));
    assertFalse(key.verifies(STATEMENT.bytes(signed.sequence()), new byte[0]));
    Path another = temporary.resolve("another");
    SecureFiles.createDirectory(another);
    Ed25519PublicKey stranger = ColonyOwner.open(another, Optional.empty(), () -> now).publicKey();
    assertNotEquals(key, stranger);
    assertFalse(stranger.verifies(STATEMENT.bytes(signed.sequence()), signed.signature()));
  }

  @Test
  void theKeyStaysTheSameAndItsFileIsForItsOwnerOnly() throws IOException {
    Ed25519PublicKey key = open(Optional.empty()).publicKey();
    assertEquals(key, open(Optional.empty()).publicKey());
    Path file = directory.resolve("owner-key.pem");
    assertEquals(PosixFilePermissions.fromString("rw-------"), Files.getPosixFilePermissions(file));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    assertThrows(IOException.class, () -> open(Optional.empty()));
  }

  @Test
  void aPassphraseEncryptsTheKeyThatIsThereAlready() throws IOException {
    Path file = directory.resolve("owner-key.pem");
    Ed25519PublicKey key = open(Optional.empty()).publicKey();
    assertTrue(Files.readString(file).startsWith("-----BEGIN PRIVATE KEY"));
    assertEquals(key, open(PASSPHRASE).publicKey());
    assertTrue(Files.readString(file).startsWith("-----BEGIN ENCRYPTED PRIVATE KEY"));
    assertEquals(key, open(PASSPHRASE).publicKey());
    IOException missing = assertThrows(IOException.class, () -> open(Optional.empty()));
    assertTrue(String.valueOf(missing.getMessage()).contains(file.toString()), missing + "");
    assertThrows(IOException.class, () -> open(Optional.of(new Secret("wrong"))));
  }

  @Test
  void sequencesGrowAlsoOverRestartsAndWhenTheClockIsSetBack() throws IOException {
    long first = open(Optional.empty()).sign(STATEMENT).sequence();
    assertEquals(now.toEpochMilli(), first);
    assertEquals(first + 1, open(Optional.empty()).sign(STATEMENT).sequence());
    now = now.minus(Duration.ofDays(365));
    ColonyOwner owner = open(Optional.empty());
    assertEquals(first + 2, owner.sign(STATEMENT).sequence());
    // Two processes that share the folder go on together.
    assertEquals(first + 3, open(Optional.empty()).sign(STATEMENT).sequence());
    assertEquals(first + 4, owner.sign(STATEMENT).sequence());
    now = now.plus(Duration.ofDays(366));
    assertEquals(now.toEpochMilli(), owner.sign(STATEMENT).sequence());
  }

  @Test
  void aSequenceThatCannotBeReadOrWrittenSignsNothing() throws IOException {
    ColonyOwner owner = open(Optional.empty());
    Path file = directory.resolve("owner-sequence");
    SecureFiles.write(file, "many".getBytes(StandardCharsets.US_ASCII));
    IOException unreadable = assertThrows(IOException.class, () -> owner.sign(STATEMENT));
    assertTrue(String.valueOf(unreadable.getMessage()).contains(file.toString()), unreadable + "");
  }

  @Test
  void anythingButAnEd25519KeyIsRefused() throws IOException {
    for (int length : new int[] {0, 31, 33}) {
      assertThrows(
          IllegalArgumentException.class, () -> Ed25519PublicKey.of(new byte[length]), length + "");
    }
    byte[] smallOrder = new byte[32];
    smallOrder[0] = 1;
    assertThrows(IllegalArgumentException.class, () -> Ed25519PublicKey.of(smallOrder));
    SecureFiles.write(
        directory.resolve("owner-key.pem"),
        coral.files.Pem.encode(coral.certificate.KeyType.P_256.generate().getPrivate())
            .getBytes(StandardCharsets.US_ASCII));
    assertThrows(IOException.class, () -> open(Optional.empty()));
  }
}
