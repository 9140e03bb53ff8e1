package coral.certificate;

import coral.model.Secret;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.InvalidParameterException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.ProviderException;
import java.security.Security;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Optional;

/**
 * Keys in a device that they never leave, such as a hardware security module: PKCS#11, by the Java
 * runtime's own provider. What has to be signed goes to the device. Thread-safe.
 */
public final class Pkcs11Keys implements AuthorityKeys {
  private static final String PROVIDER = "SunPKCS11";

  /** Distinguishes the devices that a process opens. */
  private static final String NAME_PREFIX = "coral-";

  private final Provider provider;
  private final KeyStore store;
  private final String description;

  private Pkcs11Keys(Provider provider, KeyStore store, String description) {
    this.provider = provider;
    this.store = store;
    this.description = description;
  }

  /**
   * Opens a device and logs in to it. Its provider is the last of the Java runtime's from then on:
   * asked only for signatures by keys that no other one takes.
   *
   * @param library the device maker's, such as libsofthsm2.so
   * @param slot the number of the token's slot
   * @throws IOException if the device cannot be opened, or refuses the PIN; never with the PIN
   */
  public static Pkcs11Keys open(Path library, long slot, Secret pin) throws IOException {
    String description = "slot " + slot + " of " + library;
    if (!Files.isRegularFile(library)) {
      throw new IOException(library + ": there is no PKCS#11 library");
    }
    char[] characters = pin.reveal().toCharArray();
    try {
      String name = NAME_PREFIX + Integer.toHexString(library.hashCode()) + "-" + slot;
      Provider provider = Security.getProvider(PROVIDER + "-" + name);
      if (provider == null) {
        provider = Security.getProvider(PROVIDER).configure(configuration(name, library, slot));
        Security.addProvider(provider);
      }
      KeyStore store = KeyStore.getInstance("PKCS11", provider);
      store.load(null, characters);
      return new Pkcs11Keys(provider, store, description);
    } catch (GeneralSecurityException
        | IOException
        | InvalidParameterException
        | ProviderException e) {
      throw new IOException(
          description + " cannot be opened: " + reason(e) + "; are library, slot and PIN right?",
          e);
    } finally {
      Arrays.fill(characters, '\0');
    }
  }

  /** Keys that sign, and cannot be read out, not even encrypted. */
  private static String configuration(String name, Path library, long slot) {
    return """
    --name = %s
    library = "%s"
    slot = %d
    attributes(generate, CKO_PRIVATE_KEY, *) = {
      CKA_SENSITIVE = true
      CKA_EXTRACTABLE = false
      CKA_SIGN = true
    }
    """
        .formatted(name, library, slot);
  }

  @Override
  public KeyPair generate(KeyType type) throws IOException {
    try {
      return type.generate(KeyPairGenerator.getInstance(type.algorithm(), provider));
    } catch (GeneralSecurityException | ProviderException e) {
      throw new IOException(description + " makes no key of " + type + ": " + reason(e), e);
    }
  }

  @Override
  public void put(String name, PrivateKey key, X509Certificate certificate) throws IOException {
    try {
      store.setKeyEntry(name, key, null, new X509Certificate[] {certificate});
      store.store(null);
    } catch (GeneralSecurityException | ProviderException e) {
      throw new IOException(description + " does not keep the key '" + name + "': " + reason(e), e);
    }
  }

  @Override
  public Optional<PrivateKey> get(String name) throws IOException {
    try {
      return Optional.ofNullable((PrivateKey) store.getKey(name, null));
    } catch (GeneralSecurityException | ProviderException e) {
      throw new IOException(description + " does not give the key '" + name + "': " + reason(e), e);
    }
  }

  @Override
  public void remove(String name) throws IOException {
    try {
      if (store.containsAlias(name)) {
        store.deleteEntry(name);
        store.store(null);
      }
    } catch (GeneralSecurityException | ProviderException e) {
      throw new IOException(
          description + " does not remove the key '" + name + "': " + reason(e), e);
    }
  }

  @Override
  public String description() {
    return description;
  }

  /** The device's own word, which the provider wraps, such as CKR_PIN_INCORRECT. */
  private static String reason(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage());
  }
}
