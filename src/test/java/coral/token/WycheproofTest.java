package coral.token;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/**
 * Project Wycheproof's JSON Web Signatures. Their algorithms are not EdDSA, so the verifier has to
 * refuse them all, those that are valid elsewhere too, and a token of ours with any part of one.
 */
final class WycheproofTest extends VerifierCase {
  @Test
  void j1j2j10NoneOfTheVectorsIsAToken() throws Exception {
    List<String> tokens = tokens();
    assertEquals(57, tokens.size());
    tokens.forEach(this::refused);
  }

  @Test
  void j1j2j10NoTokenIsGoodWithAPartOfAVector() throws Exception {
    String[] ours = good.split("\\.", -1);
    assertEquals(
        token, verifier.verify(String.join(".", ours), NOW), "what the parts are put into");
    for (String vector : tokens()) {
      String[] theirs = vector.split("\\.", -1);
      for (int part = 0; part < Math.min(ours.length, theirs.length); part++) {
        String[] mixed = ours.clone();
        mixed[part] = theirs[part];
        refused(String.join(".", mixed));
      }
    }
  }

  private static List<String> tokens() throws Exception {
    try (InputStream in =
        WycheproofTest.class.getResourceAsStream("/wycheproof/json_web_signature.txt")) {
      String text = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
      return text.lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.split("\t", -1)[3])
          .toList();
    }
  }
}
