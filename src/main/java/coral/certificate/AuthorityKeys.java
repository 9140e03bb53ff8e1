package coral.certificate;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Where the private keys of an {@link Authority} are: in files, or in a device that they never
 * leave. One writer at a time; reading is thread-safe.
 */
public interface AuthorityKeys {
  /**
   * Makes a key pair, which is kept nowhere yet. Takes up to seconds for RSA.
   *
   * @throws IOException if the place of the keys is out of reach, or makes no such keys
   */
  KeyPair generate(KeyType type) throws IOException;

  /**
   * {@link #generate(KeyType)} several times at once: keys of RSA-4096 take seconds each.
   *
   * @param count 1 to 16
   */
  default List<KeyPair> generate(KeyType type, int count) throws IOException {
    List<CompletableFuture<KeyPair>> others = new ArrayList<>();
    for (int i = 1; i < count; i++) {
      others.add(
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return generate(type);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              }));
    }
    List<KeyPair> pairs = new ArrayList<>(List.of(generate(type)));
    try {
      others.forEach(other -> pairs.add(other.join()));
    } catch (CompletionException e) {
      if (e.getCause() instanceof UncheckedIOException io && io.getCause() != null) {
        throw new IOException(io.getCause().getMessage(), io);
      }
      throw e;
    }
    return pairs;
  }

  /**
   * Keeps a key under a name, instead of what had the name. On return it survives a power failure.
   *
   * @param name of letters, digits and '-'
   * @param key of {@link #generate}
   * @param certificate of the key, for people who look into the place of the keys
   */
  void put(String name, PrivateKey key, X509Certificate certificate) throws IOException;

  /**
   * The key of a name, to sign with; empty if there is none, as when a root's key was taken away.
   *
   * @throws IOException if there is one that cannot be used, saying why
   */
  Optional<PrivateKey> get(String name) throws IOException;

  /** Destroys a key; nothing happens if there is none. */
  void remove(String name) throws IOException;

  /** Where the keys are, for people, without any secret. */
  String description();
}
