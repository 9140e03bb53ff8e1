package coral.certificate;

import coral.model.ColonyId;
import coral.model.Fingerprint;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Path;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** A colony's root: its certificate, and the key that signs all others. Thread-safe. */
public final class Authority {
  private final Identity root;

  private Authority(Identity root) {
    this.root = root;
  }

  /** A new root: RSA-4096, 10 years, CN = Coral Colony CA, O = colony id. Takes up to seconds. */
  public static Authority create(ColonyId colonyId, InstantSource clock) {
    throw new UnsupportedOperationException();
  }

  /** Reads {@code ca-cert.pem} and {@code ca-key.pem}. */
  public static Authority load(Path directory) throws IOException {
    throw new UnsupportedOperationException();
  }

  /** Writes {@code ca-cert.pem} and {@code ca-key.pem}; refuses to overwrite either. */
  public void save(Path directory) throws IOException {
    throw new UnsupportedOperationException();
  }

  /** The root's own certificate. */
  public X509Certificate certificate() {
    return root.certificate();
  }

  /** By which agents pin this colony. */
  public Fingerprint fingerprint() {
    throw new UnsupportedOperationException();
  }

  /** The colony that the root was made for. */
  public ColonyId colonyId() {
    throw new UnsupportedOperationException();
  }

  /** Issues with a new serial number, from a minute before {@code now}. */
  public X509Certificate issue(
      CertificateProfile profile, PublicKey subjectKey, Instant now, Duration validity) {
    throw new UnsupportedOperationException();
  }

  /** Issues a certificate, parses it back and checks it against its profile. */
  public X509Certificate issue(
      CertificateProfile profile,
      PublicKey subjectKey,
      Instant notBefore,
      Duration validity,
      BigInteger serial) {
    throw new UnsupportedOperationException();
  }

  @Override
  public String toString() {
    return "Authority[" + certificate().getSubjectX500Principal() + "]";
  }
}
