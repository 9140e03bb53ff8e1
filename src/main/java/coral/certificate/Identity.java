package coral.certificate;

import coral.files.Pem;
import coral.files.SecureFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;

/**
 * What a process proves who it is with: a private key and the chain of its certificate.
 *
 * @param key the key of the first certificate
 * @param chain leaf first, each signed by the next; at least one
 */
public record Identity(PrivateKey key, List<X509Certificate> chain) {
  /**
   * @throws IllegalArgumentException if the chain is empty or the key is not that of its leaf
   */
  public Identity {
    chain = List.copyOf(chain);
    if (chain.isEmpty()) {
      throw new IllegalArgumentException("an identity needs a certificate");
    }
    if (!PublicKeys.matches(key, chain.get(0).getPublicKey())) {
      throw new IllegalArgumentException("the private key is not that of the certificate");
    }
  }

  /** The certificate of the key. */
  public X509Certificate certificate() {
    return chain.get(0);
  }

  /**
   * Reads an identity from its two PEM files.
   *
   * @throws IOException naming the file that is missing, open to others or malformed, or both files
   *     if the key is not that of the certificate
   */
  public static Identity load(Path certificates, Path privateKey) throws IOException {
    List<X509Certificate> chain = Pem.readCertificates(certificates);
    PrivateKey key = Pem.readPrivateKey(privateKey);
    try {
      return new Identity(key, chain);
    } catch (IllegalArgumentException e) {
      throw new IOException(certificates + " and " + privateKey + ": " + e.getMessage(), e);
    }
  }

  /**
   * Writes an identity to two PEM files of mode 0600, the key first: a crash between the two leaves
   * a pair that {@link #load} refuses, never a certificate whose key is lost.
   */
  public void save(Path certificates, Path privateKey) throws IOException {
    SecureFiles.write(privateKey, Pem.encode(key).getBytes(StandardCharsets.US_ASCII));
    SecureFiles.write(certificates, Pem.encode(chain).getBytes(StandardCharsets.US_ASCII));
  }

  /** Without the private key. */
  @Override
  public String toString() {
    return "Identity[" + certificate().getSubjectX500Principal() + "]";
  }
}
