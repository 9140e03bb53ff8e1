package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;

class WantedSecretTest {
  private static final String SECRET = "coral-sec_a~b?c>d";

  @Test
  void itIsFoundInBase64WhereverItBeginsAndEnds() {
    WantedSecret wanted = WantedSecret.of("it", SECRET);
    for (String before : List.of("", "a", "ab", "abc")) {
      for (String after : List.of("", "x", "xy", "xyz")) {
        byte[] text = (before + SECRET + after).getBytes(StandardCharsets.UTF_8);
        assertEquals(
            List.of("base64 at " + before.length() % 3),
            wanted.foundIn(Base64.getEncoder().encodeToString(text)).stream()
                .filter(form -> form.startsWith("base64 "))
                .toList());
        assertTrue(
            wanted
                .foundIn(Base64.getUrlEncoder().encodeToString(text))
                .contains("base64url at " + before.length() % 3));
      }
    }
  }

  @Test
  void itIsFoundAsItIsAndNotFoundWhereItIsNot() {
    WantedSecret wanted = WantedSecret.of("it", SECRET);
    assertEquals(List.of("plain"), wanted.foundIn("before" + SECRET + "after"));
    assertEquals(List.of(), wanted.foundIn(SECRET.substring(1)));
    assertEquals(
        List.of("hexadecimal"),
        WantedSecret.of("it", new byte[] {0x1f, (byte) 0xfe, 0x3c, 0x7a}).foundIn("..1ffe3c7a.."));
  }
}
