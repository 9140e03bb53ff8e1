package coral.ownership;

import coral.files.EncryptedKeys;
import coral.files.Pem;
import coral.files.SecureFiles;
import coral.model.Ed25519PublicKey;
import coral.model.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Optional;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.crypto.params.Ed25519PrivateKeyParameters;
import org.bouncycastle.crypto.signers.Ed25519Signer;
import org.bouncycastle.crypto.util.PrivateKeyFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A colony's owner key and the sequence of what it signed, in the colony's folder. Whoever shares
 * the folder is the same owner. Thread-safe.
 */
public final class ColonyOwner {
  private static final Logger log = LoggerFactory.getLogger(ColonyOwner.class);

  private static final String KEY_FILE = "owner-key.pem";
  private static final String SEQUENCE_FILE = "owner-sequence";

  /** More than the digits of any sequence. */
  private static final int MAX_SEQUENCE_BYTES = 64;

  /** What goes to discovery beside the request. */
  public static final class Signed {
    private final Ed25519PublicKey publicKey;
    private final long sequence;
    private final byte[] signature;

    private Signed(Ed25519PublicKey publicKey, long sequence, byte[] signature) {
      this.publicKey = publicKey;
      this.sequence = sequence;
      this.signature = signature;
    }

    public Ed25519PublicKey publicKey() {
      return publicKey;
    }

    /** Greater than the one before. */
    public long sequence() {
      return sequence;
    }

    /** Of the request with this sequence. */
    public byte[] signature() {
      return signature.clone();
    }
  }

  private final Path sequenceFile;
  private final Ed25519PrivateKeyParameters key;
  private final InstantSource clock;

  private ColonyOwner(Path sequenceFile, Ed25519PrivateKeyParameters key, InstantSource clock) {
    this.sequenceFile = sequenceFile;
    this.key = key;
    this.clock = clock;
  }

  /**
   * Reads the key of a colony, or makes it if there is none. One that was written without a
   * passphrase is encrypted now if there is one.
   *
   * @param directory of the colony, closed to other users
   * @param passphrase encrypts the key at rest; empty leaves it to its file's mode
   * @throws IOException naming the file and what is wrong with it; it is left as it is
   */
  public static ColonyOwner open(Path directory, Optional<Secret> passphrase, InstantSource clock)
      throws IOException {
    Path file = directory.resolve(KEY_FILE);
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      SecureFiles.createNew(file, encode(generate(), passphrase));
    }
    return new ColonyOwner(directory.resolve(SEQUENCE_FILE), read(file, passphrase), clock);
  }

  private static PrivateKey generate() {
    try {
      return KeyPairGenerator.getInstance("Ed25519").generateKeyPair().getPrivate();
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every Java runtime makes Ed25519 keys", e);
    }
  }

  private static byte[] encode(PrivateKey key, Optional<Secret> passphrase) {
    return EncryptedKeys.encode(key, passphrase).getBytes(StandardCharsets.US_ASCII);
  }

  private static Ed25519PrivateKeyParameters read(Path file, Optional<Secret> passphrase)
      throws IOException {
    byte[] text = SecureFiles.readPrivate(file, Pem.MAX_BUNDLE_BYTES);
    try {
      PrivateKey key = EncryptedKeys.decode(text, passphrase);
      Ed25519PrivateKeyParameters parameters = parameters(key);
      if (passphrase.isPresent() && !EncryptedKeys.isEncrypted(text)) {
        SecureFiles.write(file, encode(key, passphrase));
        log.info("Encrypted {} with the configured passphrase", file);
      }
      return parameters;
    } catch (IllegalArgumentException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    } finally {
      Arrays.fill(text, (byte) 0);
    }
  }

  private static Ed25519PrivateKeyParameters parameters(PrivateKey key) throws IOException {
    if (PrivateKeyFactory.createKey(PrivateKeyInfo.getInstance(key.getEncoded()))
        instanceof Ed25519PrivateKeyParameters parameters) {
      return parameters;
    }
    throw new IllegalArgumentException("not an Ed25519 key");
  }

  /** What discovery knows the owner by. */
  public Ed25519PublicKey publicKey() {
    return Ed25519PublicKey.of(key.generatePublicKey().getEncoded());
  }

  /**
   * Signs a request. Each has a sequence greater than the one before: the milliseconds since 1970,
   * or one more than the last where the clock was set back. What was used is on disk before it is
   * shown to anybody.
   *
   * @throws IOException if it cannot be written; then nothing is signed
   */
  public synchronized Signed sign(OwnerStatement statement) throws IOException {
    long sequence = Math.max(clock.millis(), last() + 1);
    SecureFiles.write(sequenceFile, (sequence + "\n").getBytes(StandardCharsets.US_ASCII));
    byte[] message = statement.bytes(sequence);
    Ed25519Signer signer = new Ed25519Signer();
    signer.init(true, key);
    signer.update(message, 0, message.length);
    return new Signed(publicKey(), sequence, signer.generateSignature());
  }

  private long last() throws IOException {
    if (!Files.exists(sequenceFile, LinkOption.NOFOLLOW_LINKS)) {
      return 0;
    }
    byte[] text = SecureFiles.readPrivate(sequenceFile, MAX_SEQUENCE_BYTES);
    try {
      return Long.parseLong(new String(text, StandardCharsets.US_ASCII).strip());
    } catch (NumberFormatException e) {
      throw new IOException(
          sequenceFile + " does not hold the number of the last signature; remove it", e);
    }
  }

  /** The public half, and nothing of the private one. */
  @Override
  public String toString() {
    return "ColonyOwner[" + publicKey() + "]";
  }
}
