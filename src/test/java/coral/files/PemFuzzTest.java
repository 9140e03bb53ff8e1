package coral.files;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import coral.model.Secret;
import java.nio.charset.StandardCharsets;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;

/** Chains and keys as text: what is no such thing is refused in a sentence. */
class PemFuzzTest {
  private static final Optional<Secret> PASSPHRASE = Optional.of(new Secret("passphrase"));

  @FuzzTest(maxDuration = "8s")
  void aTextIsReadOrRefused(byte[] input) {
    certificates(input);
    key(input);
    block(Pem.CERTIFICATE_REQUEST, input);
    // The same bytes as the content of blocks, so that changes of them reach the DER parsers.
    certificates(inBlock(Pem.CERTIFICATE, input));
    key(inBlock(Pem.PRIVATE_KEY, input));
    key(inBlock(EncryptedKeys.ENCRYPTED_PRIVATE_KEY, input));
  }

  private static byte[] inBlock(String type, byte[] content) {
    return Pem.encode(type, content).getBytes(StandardCharsets.US_ASCII);
  }

  private static void block(String type, byte[] text) {
    byte[] content;
    try {
      content = Pem.decode(type, text, Pem.MAX_REQUEST_BYTES);
    } catch (IllegalArgumentException e) {
      requireSentence(e);
      return;
    }
    assertArrayEquals(content, Pem.decode(type, inBlock(type, content), 2 * text.length + 200));
  }

  private static void certificates(byte[] text) {
    List<X509Certificate> read;
    try {
      read = Pem.certificates(text);
    } catch (IllegalArgumentException e) {
      requireSentence(e);
      return;
    }
    assertTrue(!read.isEmpty() && read.size() <= Pem.MAX_CERTIFICATES);
    assertEquals(read, Pem.certificates(Pem.encode(read).getBytes(StandardCharsets.US_ASCII)));
  }

  private static void key(byte[] text) {
    PrivateKey read;
    try {
      read = EncryptedKeys.decode(text, PASSPHRASE);
    } catch (IllegalArgumentException e) {
      requireSentence(e);
      return;
    }
    byte[] again = EncryptedKeys.encode(read, Optional.empty()).getBytes(StandardCharsets.US_ASCII);
    assertEquals(read, EncryptedKeys.decode(again, Optional.empty()));
  }

  private static void requireSentence(IllegalArgumentException e) {
    assertTrue(String.valueOf(e.getMessage()).length() < 500, "a refusal is a sentence");
  }
}
