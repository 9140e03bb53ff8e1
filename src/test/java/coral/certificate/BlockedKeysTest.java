package coral.certificate;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.files.Pem;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.RefusedException;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** C5: keys that others know, such as those of CVE-2008-0166. */
class BlockedKeysTest {
  private static final AgentId WEB = new AgentId("web");
  private static final String OTHER = "0123456789abcdef".repeat(4);

  @TempDir Path directory;

  private Path file(String name, String text) throws IOException {
    return Files.writeString(directory.resolve(name), text);
  }

  private BlockedKeys read(String text) throws IOException {
    return BlockedKeys.read(List.of(file("blocked", text)));
  }

  private String refused(String text) {
    return String.valueOf(assertThrows(IOException.class, () -> read(text)).getMessage());
  }

  @Test
  @DisplayName("C5: a blocked key is refused before its signature is looked at")
  void aBlockedKeyIsRefusedBeforeItsSignatureIsLookedAt() throws Exception {
    for (KeyPair keys : List.of(Roots.RSA, Roots.EC)) {
      BlockedKeys blocked = read(OTHER + "\n" + PublicKeys.hash(keys.getPublic()) + "\n");
      byte[] request = CertificateRequests.create(WEB, keys);
      byte[] der = Pem.decode(Pem.CERTIFICATE_REQUEST, request, Pem.MAX_REQUEST_BYTES);
      der[der.length - 1] ^= 1;
      byte[] unproved = Pem.encode(Pem.CERTIFICATE_REQUEST, der).getBytes(US_ASCII);
      for (byte[] each : List.of(request, unproved)) {
        RefusedException refused =
            assertThrows(
                RefusedException.class, () -> CertificateRequests.verify(each, WEB, blocked));
        assertEquals(Failure.INVALID_ARGUMENT, refused.refused().failure());
        String message = refused.refused().message();
        assertTrue(message.contains("CVE-2008-0166"), message);
        assertTrue(message.contains("make a new one"), message);
      }
      KeyPair sound = KeyType.P_256.generate();
      CertificateRequests.verify(CertificateRequests.create(WEB, sound), WEB, blocked);
      CertificateRequests.verify(request, WEB, BlockedKeys.none());
      String unblocked =
          assertThrows(RefusedException.class, () -> CertificateRequests.verify(unproved, WEB))
              .refused()
              .message();
      assertFalse(unblocked.contains("CVE-2008-0166"), unblocked);
    }
  }

  @Test
  void aListIsReadInAnySpellingOfItsHashesWithItsComments() throws Exception {
    String first = PublicKeys.hash(Roots.EC.getPublic());
    String second = PublicKeys.hash(Roots.RSA.getPublic());
    BlockedKeys blocked =
        BlockedKeys.read(
            List.of(
                file(
                    "a",
                    "# Debian, RSA-2048\r\n\r\n  "
                        + first.toUpperCase(Locale.ROOT)
                        + " # pid 4711\r\n\t\n"),
                file("b", second),
                file("c", "")));
    assertEquals(2, blocked.size());
    assertTrue(blocked.contains(first));
    assertTrue(blocked.contains(second));
    assertFalse(blocked.contains(OTHER));
    assertFalse(BlockedKeys.none().contains(OTHER));
  }

  @Test
  void aListThatCannotBeReadIsNeverAnEmptyOne() throws Exception {
    String where = directory.resolve("blocked").toString();
    for (String wrong :
        List.of(OTHER.substring(1), OTHER + "0", OTHER.replace('f', 'g'), OTHER + " " + OTHER)) {
      String message = refused(OTHER + "\n" + wrong + "\n");
      assertTrue(message.contains(where) && message.contains("line 2"), message);
    }
    String message = refused("#" + "x".repeat(1024));
    assertTrue(message.contains(where) && message.contains("line 1"), message);
    for (Path path : List.of(directory, directory.resolve("missing"))) {
      String absent =
          String.valueOf(
              assertThrows(IOException.class, () -> BlockedKeys.read(List.of(path))).getMessage());
      assertTrue(absent.contains(path.toString()), absent);
    }
  }

  /** All that there is room for is found again; with one more the colony does not start. */
  @Test
  void aMillionKeysHaveRoomAndNotOneMore() throws Exception {
    Path list = directory.resolve("million");
    int first = BlockedKeys.MAX_KEYS / 2;
    try (BufferedWriter out = Files.newBufferedWriter(list, US_ASCII)) {
      for (int i = 0; i < first; i++) {
        out.write(hash(i));
        out.write('\n');
      }
    }
    BlockedKeys blocked = BlockedKeys.read(List.of(list, list));
    assertEquals(BlockedKeys.MAX_KEYS, blocked.size());
    for (int i : new int[] {0, 1, 4711, first - 1}) {
      assertTrue(blocked.contains(hash(i)), "key " + i);
    }
    assertFalse(blocked.contains(hash(first)));
    Path one = file("one", OTHER);
    assertThrows(IOException.class, () -> BlockedKeys.read(List.of(list, list, one)));
  }

  /** Spread over all values, as hashes are. */
  private static String hash(int number) {
    return String.format(Locale.ROOT, "%016x", number * 0x9e3779b97f4a7c15L) + OTHER.substring(16);
  }

  @Test
  void theFilesTogetherHaveABound() throws Exception {
    Path half = file("half", ("#" + "x".repeat(1000) + "\n").repeat(33_500));
    assertEquals(0, BlockedKeys.read(List.of(half)).size());
    String message =
        String.valueOf(
            assertThrows(IOException.class, () -> BlockedKeys.read(List.of(half, half, half)))
                .getMessage());
    assertTrue(message.contains("bytes"), message);
  }
}
