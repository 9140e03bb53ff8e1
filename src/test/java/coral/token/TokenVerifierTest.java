package coral.token;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.RefusedException;
import io.jsonwebtoken.Jwts;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Attacks on the form, the header and the signature of a token, with the ids of the threat table.
 */
final class TokenVerifierTest extends VerifierCase {
  /** J1: RFC 8725, sections 2.1 and 3.1; RFC 7518, section 3.6. */
  @ParameterizedTest
  @ValueSource(strings = {"none", "None", "NONE", "nOnE", "NonE", ""})
  void j1AnUnsignedTokenIsRefused(String algorithm) {
    String header = header(node -> node.put("alg", algorithm));
    String claims = good.split("\\.", -1)[1];
    for (String signature :
        List.of("", good.split("\\.", -1)[2], TokenKey.base64Url(new byte[64]), "AA")) {
      refused(header + "." + claims + "." + signature);
    }
  }

  /** J1 */
  @Test
  void j1AnEmptyOrShortenedSignatureIsRefused() {
    String content = good.substring(0, good.lastIndexOf('.') + 1);
    byte[] signature = Base64.getUrlDecoder().decode(good.split("\\.", -1)[2]);
    refused(content);
    for (int length = 1; length < signature.length; length++) {
      refused(content + TokenKey.base64Url(java.util.Arrays.copyOf(signature, length)));
    }
    refused(content + TokenKey.base64Url(java.util.Arrays.copyOf(signature, 65)));
  }

  /** J2: CVE-2015-9235; RFC 8725, section 2.1. */
  @Test
  void j2OurPublicKeyIsNoKeyOfASymmetricSignature() throws GeneralSecurityException {
    for (byte[] secret :
        List.of(
            key.publicKey().toBytes(),
            key.publicKey().forProvider().getEncoded(),
            key.publicKey().toString().getBytes(StandardCharsets.US_ASCII))) {
      String content = header(node -> node.put("alg", "HS256")) + "." + good.split("\\.", -1)[1];
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(secret, "HmacSHA256"));
      refused(
          content
              + "."
              + TokenKey.base64Url(mac.doFinal(content.getBytes(StandardCharsets.US_ASCII))),
          "EdDSA");
    }
  }

  /** J3: CVE-2022-21449, for every algorithm that the library knows. */
  @Test
  void j3ASignatureOfZerosHoldsForNoAlgorithm() {
    for (String algorithm : Jwts.SIG.get().keySet()) {
      for (int length : new int[] {32, 64, 96, 132, 256}) {
        refused(
            header(node -> node.put("alg", algorithm))
                + "."
                + good.split("\\.", -1)[1]
                + "."
                + TokenKey.base64Url(new byte[length]));
      }
    }
  }

  /** J3: what jjwt would do with our key, if it were let. */
  @Test
  void j3NoAlgorithmButEdDsaIsAccepted() {
    for (String algorithm : Jwts.SIG.get().keySet()) {
      String forged = Forgery.withHeader(key, good, header -> header.put("alg", algorithm));
      if (algorithm.equals("EdDSA")) {
        assertEquals(token, verifier.verify(forged, NOW));
      } else {
        refused(forged, "EdDSA");
      }
    }
  }

  /** J4: RFC 8725, section 3.10. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "../../../../dev/null",
        "/dev/null",
        "' OR '1'='1",
        "kid; DROP TABLE keys",
        "http://attacker.example/key",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
      })
  void j4AKeyIdIsLookedUpAndNothingElse(String keyId) {
    refused(Forgery.withHeader(key, good, header -> header.put("kid", keyId)));
  }

  /** J4 */
  @Test
  void j4AKeyIdIsExact() {
    String id = key.publicKey().id();
    refused(Forgery.withHeader(key, good, header -> header.remove("kid")));
    refused(Forgery.withHeader(key, good, header -> header.put("kid", id + " ")));
    refused(Forgery.withHeader(key, good, header -> header.put("kid", id.substring(1))));
    refused(Forgery.withHeader(key, good, header -> header.putArray("kid").add(id)));
    refused(Forgery.withHeader(key, good, header -> header.put("kid", 7)));
    SigningKey stranger = SigningKey.generate(RANDOM);
    refused(Forgery.withHeader(stranger, good, header -> {}), "signature");
  }

  /** J4: CVE-2018-0114, the header brings the key of its own signature. */
  @Test
  void j4AKeyInTheHeaderIsRefused() {
    SigningKey attacker = SigningKey.generate(RANDOM);
    for (String keyId : List.of(key.publicKey().id(), attacker.publicKey().id())) {
      refused(
          Forgery.withHeader(
              attacker,
              good,
              header -> {
                header.put("kid", keyId);
                header
                    .putObject("jwk")
                    .put("kty", "OKP")
                    .put("crv", "Ed25519")
                    .put("x", TokenKey.base64Url(attacker.publicKey().toBytes()));
              }),
          "header");
    }
  }

  /** J4, J8, J12: even with a signature that holds. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "jku", "x5u", "jwk", "x5c", "x5t", "crit", "b64", "zip", "cty", "enc", "epk", "p2c"
      })
  void j4AHeaderThatIsNotOursIsRefused(String name) {
    refused(
        Forgery.withHeader(key, good, header -> header.put(name, "https://attacker.example/")),
        "header");
  }

  /** J4: anybody can name any key. */
  @Test
  void j4OnlyAnUnknownKeyOfAWellFormedTokenAsksForARefresh() {
    SigningKey stranger = SigningKey.generate(RANDOM);
    assertEquals(Optional.of(stranger.publicKey().id()), verifier.unknownKey(stranger.sign(token)));
    assertEquals(Optional.empty(), verifier.unknownKey(good));
    assertEquals(Optional.empty(), verifier.unknownKey("nonsense"));
  }

  /** J8: RFC 8725, sections 3.11 and 3.12. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "JWT",
        "jwt",
        "at+jwt",
        "CORAL-REG+JWT",
        "coral-reg+jwt ",
        "application/coral-reg+jwt",
        ""
      })
  void j8ATokenForAnotherPurposeIsRefused(String type) {
    refused(Forgery.withHeader(key, good, header -> header.put("typ", type)), "type");
  }

  /** J1, J8: missing, or not a text. */
  @Test
  void j8ATokenWithoutATypeOrAnAlgorithmIsRefused() {
    for (String name : List.of("typ", "alg")) {
      refused(Forgery.withHeader(key, good, header -> header.remove(name)));
      refused(Forgery.withHeader(key, good, header -> header.putNull(name)));
      refused(Forgery.withHeader(key, good, header -> header.putArray(name).add("EdDSA")));
      refused(Forgery.withHeader(key, good, header -> header.put(name, 8)));
    }
  }

  /** J8: the same key also endorses; neither passes for the other. */
  @Test
  void j8AnEndorsementIsNoToken() {
    String message =
        new String(
            Endorsement.message(discovery.nextHeld().key().publicKey()), StandardCharsets.US_ASCII);
    refused(message);
    assertFalse(message.contains("."), "what is signed for a token has a dot");
  }

  /** J10: only one text has these bytes, so that nothing is known by two names. */
  @Test
  void j10EverySpellingButOneIsRefused() {
    String[] parts = good.split("\\.", -1);
    for (int i = 0; i < 3; i++) {
      String[] padded = parts.clone();
      padded[i] += "=";
      refused(String.join(".", padded));
      padded[i] += "=";
      refused(String.join(".", padded));
      String[] spaced = parts.clone();
      spaced[i] += "\n";
      refused(String.join(".", spaced));
    }
    refused(" " + good);
    refused(good + " ");
    refused(good + ".");
    refused(good + "." + parts[2]);
    refused(good.replace('-', '+').replace('_', '/') + "+");
    // 64 bytes leave 4 spare bits in the last character: 15 other spellings of the same signature.
    String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int last = alphabet.indexOf(good.charAt(good.length() - 1));
    for (int spare = 1; spare < 16; spare++) {
      refused(good.substring(0, good.length() - 1) + alphabet.charAt(last | spare), "canonical");
    }
  }

  /** J10: a name that comes twice means one thing to one parser, another to the next. */
  @Test
  void j10JsonThatCanBeReadInTwoWaysIsRefused() {
    String header = Forgery.part(good, 0).toString();
    String claims = Forgery.part(good, 1).toString();
    assertEquals(token, verifier.verify(Forgery.signed(key, header, claims), NOW));
    String twice = claims.replaceFirst("\\{", "{\"sub\":\"admin\",");
    refused(Forgery.signed(key, header, twice), "JSON");
    refused(
        Forgery.signed(key, header.replaceFirst("\\{", "{\"alg\":\"none\","), claims), "header");
    refused(Forgery.signed(key, header, claims + "{}"));
    refused(Forgery.signed(key, header, "[" + claims + "]"));
    refused(Forgery.signed(key, header, "\uFEFF" + claims));
    refused(Forgery.signed(key, header, "null"));
    refused(Forgery.signed(key, header, "foo"));
    String content =
        Forgery.base64Url(header)
            + "."
            + TokenKey.base64Url(claims.getBytes(StandardCharsets.UTF_16BE));
    refused(content + "." + TokenKey.base64Url(Forgery.signature(key, content)));
  }

  /** J10: the fields that Wycheproof changes in a JWS, and every single bit beyond them. */
  @Test
  void j10NoChangeOfASignedTokenPasses() {
    String[] parts = good.split("\\.", -1);
    List<String> altered =
        List.of(
            "",
            ".",
            "..",
            parts[0],
            parts[1],
            parts[0] + "." + parts[1],
            parts[0] + "." + parts[2],
            parts[1] + "." + parts[2],
            parts[0] + ".." + parts[2],
            "." + parts[1] + "." + parts[2],
            "." + parts[1] + ".",
            parts[1] + "." + parts[0] + "." + parts[2],
            "{\"payload\":\""
                + parts[1]
                + "\",\"signatures\":[{\"protected\":\""
                + parts[0]
                + "\",\"signature\":\""
                + parts[2]
                + "\"}]}");
    altered.forEach(this::refused);
    for (int i = 0; i < 3; i++) {
      byte[] bytes = Base64.getUrlDecoder().decode(parts[i]);
      for (int bit = 0; bit < bytes.length * 8; bit++) {
        byte[] flipped = bytes.clone();
        flipped[bit / 8] ^= (byte) (1 << (bit % 8));
        String[] changed = parts.clone();
        changed[i] = TokenKey.base64Url(flipped);
        refused(String.join(".", changed));
      }
    }
  }

  /** J12: refused by its length, before anything is read. */
  @Test
  void j12ALongTokenIsRefusedUnread() {
    for (String long_ : List.of("a".repeat(4097), ".".repeat(8_000_000), good + "A".repeat(4096))) {
      refused(long_, "4096");
    }
    refused("a".repeat(4096), "three parts");
    refused(".".repeat(4096), "three parts");
  }

  /** J12: the bound is on the text, of which ours take a small part. */
  @Test
  void j12OurLongestTokenIsFarBelowTheBound() {
    AgentId longest = new AgentId("a".repeat(63));
    ColonyId colony = new ColonyId("b".repeat(63));
    RegistrationToken bound =
        RegistrationToken.create(
            longest, colony, Optional.of(KEY_HASH), Optional.empty(), NOW, RANDOM);
    assertTrue(key.sign(bound).length() < CompactToken.MAX_LENGTH / 4);
  }

  /** J12 */
  @Test
  void j12DeepJsonIsRefused() {
    String header = Forgery.part(good, 0).toString();
    refused(Forgery.signed(key, header, "[".repeat(1400) + "]".repeat(1400)), "JSON");
    refused(Forgery.signed(key, header, "{\"a\":".repeat(400) + "1" + "}".repeat(400)), "JSON");
    refused(Forgery.signed(key, "{\"a\":".repeat(100) + "1" + "}".repeat(100), "{}"), "header");
    refused(Forgery.signed(key, header, "{\"exp\":1e" + "9".repeat(15) + "}"));
  }

  /** J12: whatever is sent, the answer is a token or a refusal. */
  @Test
  void j12RandomTextIsRefusedAndNothingElse() {
    long seed = RANDOM.nextLong();
    Random random = new Random(seed);
    String alphabet = "eyJhbGciOiJFZERTQSJ9.{}[]\":,=+/-_ \u0000\u00e9\uD83D";
    for (int round = 0; round < 20_000; round++) {
      StringBuilder text = new StringBuilder(random.nextBoolean() ? good : "");
      int changes = 1 + random.nextInt(20);
      for (int i = 0; i < changes; i++) {
        char character = alphabet.charAt(random.nextInt(alphabet.length()));
        int at = random.nextInt(text.length() + 1);
        if (at < text.length() && random.nextBoolean()) {
          text.setCharAt(at, character);
        } else {
          text.insert(at, character);
        }
      }
      if (!text.toString().equals(good)) {
        assertThrows(
            RefusedException.class, () -> verifier.verify(text.toString(), NOW), "seed " + seed);
      }
    }
  }

  private String header(Consumer<ObjectNode> change) {
    ObjectNode header = Forgery.part(good, 0);
    change.accept(header);
    return Forgery.base64Url(header.toString());
  }
}
