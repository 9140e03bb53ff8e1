package coral.token;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.util.function.Consumer;

/** Tokens that no library would make: every byte is the test's choice. */
final class Forgery {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Forgery() {}

  /** A token of these JSON texts, with a signature that holds. */
  static String signed(SigningKey key, String header, String claims) {
    String content = base64Url(header) + "." + base64Url(claims);
    return content + "." + TokenKey.base64Url(signature(key, content));
  }

  /** The token after a change of its header, signed again by its own key. */
  static String withHeader(SigningKey key, String token, Consumer<ObjectNode> change) {
    ObjectNode header = part(token, 0);
    change.accept(header);
    return signed(key, header.toString(), part(token, 1).toString());
  }

  /** The token after a change of its claims, signed again by its own key. */
  static String withClaims(SigningKey key, String token, Consumer<ObjectNode> change) {
    ObjectNode claims = part(token, 1);
    change.accept(claims);
    return signed(key, part(token, 0).toString(), claims.toString());
  }

  /** The JSON of one of the first two parts of a token. */
  static ObjectNode part(String token, int index) {
    try {
      JsonNode node =
          JSON.readTree(java.util.Base64.getUrlDecoder().decode(token.split("\\.", -1)[index]));
      return (ObjectNode) node;
    } catch (IOException e) {
      throw new AssertionError("the test's own token is JSON", e);
    }
  }

  static byte[] signature(SigningKey key, String content) {
    try {
      Signature signature = Signature.getInstance("Ed25519", TokenKey.PROVIDER);
      signature.initSign(key.privateKey());
      signature.update(content.getBytes(StandardCharsets.US_ASCII));
      return signature.sign();
    } catch (GeneralSecurityException e) {
      throw new AssertionError("the provider has Ed25519", e);
    }
  }

  static String base64Url(String text) {
    return TokenKey.base64Url(text.getBytes(StandardCharsets.UTF_8));
  }
}
