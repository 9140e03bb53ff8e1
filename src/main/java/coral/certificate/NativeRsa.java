package coral.certificate;

import com.amazon.corretto.crypto.provider.AmazonCorrettoCryptoProvider;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.interfaces.RSAPrivateCrtKey;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * RSA by AWS-LC, which signs three times as fast as Java 17 with a key of 4096 bits. It is native
 * code: where its library cannot be loaded, the Java runtime signs, and nothing else changes.
 */
final class NativeRsa {
  private static final Logger LOG = LoggerFactory.getLogger(NativeRsa.class);
  private static final Optional<Provider> PROVIDER = load();

  private NativeRsa() {}

  /** The provider to sign with, if the key is an RSA key in memory and the library is there. */
  static Optional<Provider> provider(PrivateKey key) {
    return key instanceof RSAPrivateCrtKey ? PROVIDER : Optional.empty();
  }

  private static Optional<Provider> load() {
    AmazonCorrettoCryptoProvider provider = AmazonCorrettoCryptoProvider.INSTANCE;
    Throwable error = provider.getLoadingError();
    if (error != null) {
      LOG.info(
          "RSA is signed by the Java runtime, since AWS-LC cannot be loaded: {}", error.toString());
      return Optional.empty();
    }
    return Optional.of(provider);
  }
}
