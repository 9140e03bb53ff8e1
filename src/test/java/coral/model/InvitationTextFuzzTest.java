package coral.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;

/** What somebody pastes: an invitation, or a sentence that says why not. */
class InvitationTextFuzzTest {
  private static final int CHECKSUM_BYTES = 4;

  /** The same bytes with a right checksum before them reach what reads the fields. */
  @FuzzTest(maxDuration = "8s")
  void aLineIsAnInvitationOrRefused(byte[] input) throws NoSuchAlgorithmException {
    parse(new String(input, StandardCharsets.UTF_8));
    byte[] checksum = MessageDigest.getInstance("SHA-256").digest(input);
    byte[] checked = Arrays.copyOf(checksum, CHECKSUM_BYTES + input.length);
    System.arraycopy(input, 0, checked, CHECKSUM_BYTES, input.length);
    parse(InvitationText.PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(checked));
  }

  private static void parse(String line) {
    InvitationText read;
    try {
      read = InvitationText.parse(line);
    } catch (IllegalArgumentException e) {
      assertTrue(String.valueOf(e.getMessage()).length() < 300, "a refusal is a sentence");
      return;
    }
    String again = read.encode();
    assertEquals(again, InvitationText.parse(again).encode());
  }
}
