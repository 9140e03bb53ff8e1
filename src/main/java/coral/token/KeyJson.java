package coral.token;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Base64;
import java.util.Optional;

/** Keys in the files of discovery and colonies. */
final class KeyJson {
  private static final String ENDORSED_BY = "endorsed_by";

  private KeyJson() {}

  static ObjectNode write(PublishedKey key) {
    ObjectNode object =
        JsonNodeFactory.instance
            .objectNode()
            .put("key", key.key().toString())
            .put("state", key.state().name())
            .put("created_at", key.createdAt().toString());
    key.retiredAt().ifPresent(at -> object.put("retired_at", at.toString()));
    write(key.endorsement(), object);
    return object;
  }

  static PublishedKey read(JsonNode object) {
    return new PublishedKey(
        TokenKey.parse(text(object, "key")),
        PublishedKey.State.valueOf(text(object, "state")),
        time(object, "created_at"),
        object.has("retired_at") ? Optional.of(time(object, "retired_at")) : Optional.empty(),
        endorsement(object));
  }

  static void write(Optional<Endorsement> endorsement, ObjectNode object) {
    endorsement.ifPresent(
        by ->
            object
                .put(ENDORSED_BY, by.endorserId())
                .put("endorsement", Base64.getEncoder().encodeToString(by.signature())));
  }

  static Optional<Endorsement> endorsement(JsonNode object) {
    if (!object.has(ENDORSED_BY)) {
      return Optional.empty();
    }
    return Optional.of(
        new Endorsement(
            text(object, ENDORSED_BY), Base64.getDecoder().decode(text(object, "endorsement"))));
  }

  static Instant time(JsonNode object, String name) {
    try {
      return Instant.parse(text(object, name));
    } catch (DateTimeException e) {
      throw new IllegalArgumentException("'" + name + "' is not a time", e);
    }
  }

  /**
   * @throws IllegalArgumentException if there is no such text
   */
  static String text(JsonNode object, String name) {
    JsonNode value = object.path(name);
    if (!value.isTextual()) {
      throw new IllegalArgumentException("'" + name + "' is missing");
    }
    return value.textValue();
  }
}
