package coral.certificate;

import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Keys of an authority that was made and not saved yet. */
final class KeysInMemory implements AuthorityKeys {
  private final Map<String, PrivateKey> keys = new ConcurrentHashMap<>();

  @Override
  public KeyPair generate(KeyType type) {
    return type.generate();
  }

  @Override
  public void put(String name, PrivateKey key, X509Certificate certificate) {
    keys.put(name, key);
  }

  @Override
  public Optional<PrivateKey> get(String name) {
    return Optional.ofNullable(keys.get(name));
  }

  @Override
  public void remove(String name) {
    keys.remove(name);
  }

  @Override
  public String description() {
    return "memory";
  }
}
