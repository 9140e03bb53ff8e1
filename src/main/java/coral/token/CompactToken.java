package coral.token;

import com.fasterxml.jackson.databind.JsonNode;
import coral.model.RefusedException;
import java.util.Base64;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A token whose form and header are right, and whose signature nobody has looked at: compact JWS
 * (RFC 7515, section 7.1) in the one spelling that its bytes have.
 *
 * @param keyId as the header says, from anybody
 * @param claims the JSON text of the payload, from anybody
 */
record CompactToken(String keyId, String claims) {
  /** Four times what any of ours has. */
  static final int MAX_LENGTH = 4096;

  private static final Pattern FORM =
      Pattern.compile("([A-Za-z0-9_-]+)\\.([A-Za-z0-9_-]+)\\.([A-Za-z0-9_-]+)");

  /** An RFC 7638 thumbprint by SHA-256. */
  private static final Pattern KEY_ID = Pattern.compile("[A-Za-z0-9_-]{43}");

  /** No crit, b64, jku, jwk, x5u, x5c, zip: what is not one of these has no business here. */
  private static final Set<String> HEADER = Set.of("alg", "kid", "typ");

  /**
   * Reads a token.
   *
   * @throws RefusedException UNAUTHENTICATED, without a part of the token
   */
  static CompactToken parse(String token) {
    if (token.length() > MAX_LENGTH) {
      throw TokenVerifier.refused(
          "has " + token.length() + " characters; at most " + MAX_LENGTH + " are read");
    }
    Matcher form = FORM.matcher(token);
    if (!form.matches()) {
      throw malformed("is not three parts of base64url");
    }
    JsonNode header = object(form.group(1));
    header
        .fieldNames()
        .forEachRemaining(
            name -> {
              if (!HEADER.contains(name)) {
                throw malformed("has a header with more than alg, kid and typ");
              }
            });
    // No algorithm but one, so that the key's kind is never the sender's choice (RFC 8725, 3.1).
    if (!header.path("alg").isTextual() || !header.path("alg").textValue().equals("EdDSA")) {
      throw malformed("is not signed with EdDSA");
    }
    if (!header.path("typ").isTextual()
        || !header.path("typ").textValue().equals(RegistrationToken.TYPE)) {
      throw malformed("is not of the type " + RegistrationToken.TYPE);
    }
    JsonNode keyId = header.path("kid");
    if (!keyId.isTextual() || !KEY_ID.matcher(keyId.textValue()).matches()) {
      throw malformed("does not name its key by a thumbprint");
    }
    bytes(form.group(3));
    return new CompactToken(keyId.textValue(), text(form.group(2)));
  }

  private static JsonNode object(String part) {
    return StrictJson.object(text(part)).orElseThrow(() -> malformed("has a malformed header"));
  }

  private static String text(String part) {
    return StrictJson.utf8(bytes(part)).orElseThrow(() -> malformed("is not in UTF-8"));
  }

  /** Base64url has spare bits: of the spellings of the same bytes only one passes. */
  private static byte[] bytes(String part) {
    byte[] bytes;
    try {
      bytes = Base64.getUrlDecoder().decode(part);
    } catch (IllegalArgumentException e) {
      throw malformed("is not three parts of base64url");
    }
    if (!TokenKey.base64Url(bytes).equals(part)) {
      throw malformed("is not canonical base64url");
    }
    return bytes;
  }

  private static RefusedException malformed(String why) {
    return TokenVerifier.refused(why + "; send it as discovery gave it");
  }

  /** Without what was sent. */
  @Override
  public String toString() {
    return "CompactToken[hidden]";
  }
}
