package coral.ownership;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.Secret;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The encoding that {@code OwnerProof} in {@code discovery.proto} describes. */
final class OwnerStatementTest {
  /** Keys of which {@code String.compareTo} and the bytes have another order. */
  private static final String SMILE = "\ud83d\ude00";

  private static final String HIGH = "\uffee";

  private static void text(DataOutputStream out, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeLong(bytes.length);
    out.write(bytes);
  }

  private static AnnouncementStatement announcement(List<String> endpoints, String ipv4) {
    return new AnnouncementStatement(
        "shop", "key", endpoints, ipv4, "", 9000, Map.of("a", "1"), new Secret("secret"));
  }

  @Test
  void anAnnouncementIsItsFieldsInOrderWithTheirLengths() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeBytes("coral-owner/v1/RegisterColony\n");
    out.writeLong(7);
    text(out, "shöp");
    text(out, "key");
    out.writeLong(2);
    text(out, "b:1");
    text(out, "a:2");
    text(out, "10.42.0.1");
    text(out, "");
    out.writeLong(9000);
    out.writeLong(2);
    text(out, HIGH);
    text(out, "1");
    text(out, SMILE);
    text(out, "2");
    text(out, "secret");
    assertArrayEquals(
        bytes.toByteArray(),
        new AnnouncementStatement(
                "shöp",
                "key",
                List.of("b:1", "a:2"),
                "10.42.0.1",
                "",
                9000,
                Map.of(SMILE, "2", HIGH, "1"),
                new Secret("secret"))
            .bytes(7));
  }

  @Test
  void aRotationIsItsFieldsInOrderWithTheirLengths() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeBytes("coral-owner/v1/RotateColonySecret\n");
    out.writeLong(8);
    text(out, "shop");
    text(out, "one");
    text(out, "two");
    out.writeLong(60);
    out.writeLong(5);
    assertArrayEquals(
        bytes.toByteArray(),
        new RotationStatement(
                "shop", new Secret("one"), new Secret("two"), Duration.ofSeconds(60, 5))
            .bytes(8));
  }

  @Test
  void whatIsDifferentHasOtherBytes() {
    Secret a = new Secret("a");
    Secret ab = new Secret("ab");
    List<byte[]> different =
        List.of(
            announcement(List.of("a", "b"), "c").bytes(1),
            announcement(List.of("a"), "bc").bytes(1),
            announcement(List.of("ab"), "c").bytes(1),
            announcement(List.of("b", "a"), "c").bytes(1),
            announcement(List.of("a", "b"), "c").bytes(2),
            new RotationStatement("shop", a, ab, Duration.ofSeconds(1)).bytes(1),
            new RotationStatement("shop", ab, a, Duration.ofSeconds(1)).bytes(1),
            new RotationStatement("shopa", new Secret("b"), a, Duration.ofSeconds(1)).bytes(1));
    Set<List<Byte>> seen = new HashSet<>();
    for (byte[] bytes : different) {
      List<Byte> boxed = new ArrayList<>();
      for (byte each : bytes) {
        boxed.add(each);
      }
      assertTrue(seen.add(boxed), "two statements have the same bytes");
    }
  }

  @Test
  void aStatementShowsNoSecret() {
    String text =
        announcement(List.of(), "")
            + new RotationStatement("m", new Secret("secret"), new Secret("secret"), Duration.ZERO)
                .toString();
    assertFalse(text.contains("secret]"), text);
    assertEquals(0, text.split("=secret", -1).length - 1, text);
  }
}
