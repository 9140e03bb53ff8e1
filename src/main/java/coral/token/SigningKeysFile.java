package coral.token;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import coral.files.EncryptedKeys;
import coral.files.SecureFiles;
import coral.model.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;

/**
 * Discovery's keys on disk: all in one file of mode 0600 that is replaced as a whole, so that no
 * crash leaves one key without the other. Private keys are in PKCS#8, encrypted where there is a
 * passphrase. One writer at a time.
 */
public final class SigningKeysFile implements TokenIssuer.Store {
  /** In discovery's directory. */
  public static final String NAME = "token-keys.json";

  private static final int VERSION = 1;

  private final Path directory;
  private final Path file;
  private final Optional<Secret> passphrase;

  /**
   * The keys of a discovery.
   *
   * @param directory of mode 0700, made if it is missing
   * @param passphrase empty: private keys are not encrypted
   */
  public SigningKeysFile(Path directory, Optional<Secret> passphrase) {
    this.directory = directory;
    this.file = directory.resolve(NAME);
    this.passphrase = passphrase;
  }

  /**
   * Reads the keys, or makes the first ones if there is no file. Keys that were written without a
   * passphrase are encrypted now if there is one.
   *
   * @throws IOException naming the file and what is wrong with it; it is left as it is
   */
  public SigningKeys loadOrCreate(InstantSource clock, SecureRandom random) throws IOException {
    SecureFiles.createDirectory(directory); // which refuses one that is open to others
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      SecureFiles.createNew(file, encode(SigningKeys.first(clock.instant(), random)));
    }
    byte[] content = SecureFiles.readPrivate(file);
    try {
      JsonNode root = root(content);
      SigningKeys keys = decode(root);
      if (passphrase.isPresent() && !(isEncrypted(root, "current") && isEncrypted(root, "next"))) {
        save(keys);
      }
      return keys;
    } catch (IllegalArgumentException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    } finally {
      Arrays.fill(content, (byte) 0);
    }
  }

  @Override
  public void save(SigningKeys keys) throws IOException {
    SecureFiles.write(file, encode(keys));
  }

  private byte[] encode(SigningKeys keys) {
    ObjectNode root = JsonNodeFactory.instance.objectNode().put("version", VERSION);
    ArrayNode former = root.putArray("former");
    keys.former().forEach(key -> former.add(KeyJson.write(key)));
    root.set("current", held(keys.currentHeld()).put("since", keys.currentSince().toString()));
    root.set("next", held(keys.nextHeld()));
    return root.toPrettyString().getBytes(StandardCharsets.UTF_8);
  }

  private ObjectNode held(SigningKeys.Held held) {
    ObjectNode object =
        JsonNodeFactory.instance
            .objectNode()
            .put("key_id", held.key().publicKey().id()) // for people who look into the file
            .put("private_key", EncryptedKeys.encode(held.key().privateKey(), passphrase))
            .put("created_at", held.createdAt().toString());
    KeyJson.write(held.endorsement(), object);
    return object;
  }

  private static JsonNode root(byte[] content) {
    JsonNode root =
        StrictJson.utf8(content)
            .flatMap(StrictJson::object)
            .orElseThrow(() -> new IllegalArgumentException("is not one JSON object"));
    if (root.path("version").asInt() != VERSION) {
      throw new IllegalArgumentException(
          "is of a version that this program does not know; run the program that wrote it");
    }
    return root;
  }

  private SigningKeys decode(JsonNode root) {
    List<PublishedKey> former = new ArrayList<>();
    root.path("former").forEach(key -> former.add(KeyJson.read(key)));
    JsonNode current = root.path("current");
    SigningKeys.Held next = held(root.path("next"));
    SigningKeys.Held signing = held(current);
    if (next.endorsement().isEmpty()
        || !next.endorsement().get().holds(signing.key().publicKey(), next.key().publicKey())) {
      throw new IllegalArgumentException("the next key is not endorsed by the current one");
    }
    return new SigningKeys(former, signing, KeyJson.time(current, "since"), next);
  }

  private SigningKeys.Held held(JsonNode object) {
    byte[] text = KeyJson.text(object, "private_key").getBytes(StandardCharsets.US_ASCII);
    PrivateKey key = EncryptedKeys.decode(text, passphrase);
    return new SigningKeys.Held(
        SigningKey.of(PrivateKeyInfo.getInstance(key.getEncoded())),
        KeyJson.time(object, "created_at"),
        KeyJson.endorsement(object));
  }

  private static boolean isEncrypted(JsonNode root, String name) {
    return EncryptedKeys.isEncrypted(
        KeyJson.text(root.path(name), "private_key").getBytes(StandardCharsets.US_ASCII));
  }
}
