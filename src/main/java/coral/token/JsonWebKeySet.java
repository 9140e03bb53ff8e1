package coral.token;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.List;

/** Keys for those who verify tokens with a JWT library: RFC 7517, and RFC 8037 for Ed25519. */
public final class JsonWebKeySet {
  /** RFC 7517, section 8.5.2. */
  public static final String MEDIA_TYPE = "application/jwk-set+json";

  private JsonWebKeySet() {}

  /** The set of those keys that hold now or will. */
  public static String render(List<PublishedKey> published, Instant now) {
    ObjectNode set = JsonNodeFactory.instance.objectNode();
    ArrayNode keys = set.putArray("keys");
    for (PublishedKey key : published) {
      if (!key.isRetired(now)) {
        keys.addObject()
            .put("kty", "OKP")
            .put("crv", "Ed25519")
            .put("alg", "EdDSA")
            .put("use", "sig")
            .put("kid", key.key().id())
            .put("x", TokenKey.base64Url(key.key().toBytes()));
      }
    }
    return set.toString();
  }
}
