package coral.token;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import coral.files.SecureFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A colony's {@link AcceptedKeys} on disk: public, but whoever changes them may issue tokens, so
 * the file is its owner's alone. Replaced as a whole. One writer at a time.
 */
public final class AcceptedKeysFile {
  /** In the colony's directory. */
  public static final String NAME = "discovery-keys.json";

  private static final int VERSION = 1;

  private final Path file;

  /** The keys in a directory of mode 0700. */
  public AcceptedKeysFile(Path directory) {
    this.file = directory.resolve(NAME);
  }

  /**
   * Reads the keys; empty if none were ever accepted.
   *
   * @throws IOException naming the file and what is wrong with it; never taken for no keys
   */
  public Optional<AcceptedKeys> load() throws IOException {
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return Optional.empty();
    }
    byte[] content = SecureFiles.readPrivate(file);
    try {
      JsonNode root =
          StrictJson.utf8(content)
              .flatMap(StrictJson::object)
              .orElseThrow(() -> new IllegalArgumentException("is not one JSON object"));
      if (root.path("version").asInt() != VERSION) {
        throw new IllegalArgumentException("is of a version that this program does not know");
      }
      List<PublishedKey> keys = new ArrayList<>();
      root.path("keys").forEach(key -> keys.add(KeyJson.read(key)));
      if (keys.isEmpty()) {
        throw new IllegalArgumentException("holds no keys");
      }
      return Optional.of(AcceptedKeys.of(keys));
    } catch (IllegalArgumentException e) {
      throw new IOException(
          file + ": " + e.getMessage() + "; to trust discovery anew, move the file away", e);
    }
  }

  /**
   * Replaces the keys; to be done before they are used.
   *
   * @throws IOException if it is not certain that they survive a power failure
   */
  public void save(AcceptedKeys accepted) throws IOException {
    ObjectNode root = JsonNodeFactory.instance.objectNode().put("version", VERSION);
    ArrayNode keys = root.putArray("keys");
    accepted.all().forEach(key -> keys.add(KeyJson.write(key)));
    SecureFiles.write(file, root.toPrettyString().getBytes(StandardCharsets.UTF_8));
  }
}
