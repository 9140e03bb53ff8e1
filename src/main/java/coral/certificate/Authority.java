package coral.certificate;

import coral.files.SecureFiles;
import coral.model.ColonyId;
import coral.model.Fingerprint;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.bouncycastle.operator.ContentSigner;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A colony's certificate authority (RFD 020): a root, which agents pin, and below it one
 * intermediate that signs for servers and one that signs for clients. The root signs nothing but
 * intermediates, once a year, so its key may be kept elsewhere meanwhile. Thread-safe; what signs
 * may change at run time.
 *
 * <p>Who holds one can make any certificate. Only the colony's process and {@code init} do; the
 * certificates of agents go through {@link CertificateAuthority}, which records them.
 */
public final class Authority {
  /** The roots that are trusted, in a colony's directory; the one that signs first. */
  public static final String CERTIFICATE_FILE = "ca-cert.pem";

  /** The first root's private key in a colony's directory; may be taken away. */
  public static final String KEY_FILE = "ca-key.pem";

  /**
   * How far a certificate reaches into the past, for clocks that are slow; step-ca does likewise.
   */
  public static final Duration BACKDATE = Duration.ofSeconds(60);

  private static final Logger log = LoggerFactory.getLogger(Authority.class);

  private final AuthorityKeys keys;
  private final Optional<AuthorityStateFile> file;
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private volatile Hierarchy hierarchy;

  private Authority(AuthorityKeys keys, Optional<AuthorityStateFile> file, AuthorityState state)
      throws IOException {
    this.keys = keys;
    this.file = file;
    this.hierarchy = Hierarchy.of(state, keys);
  }

  /**
   * A new authority in memory: a root of RSA-4096, 10 years, CN = Coral Colony CA, O = colony id,
   * and its two intermediates. Takes up to seconds.
   */
  public static Authority create(ColonyId colonyId, InstantSource clock) {
    return create(colonyId, clock, KeyType.RSA_4096);
  }

  /**
   * A new authority in memory.
   *
   * @param type of all its keys
   */
  public static Authority create(ColonyId colonyId, InstantSource clock, KeyType type) {
    try {
      return inMemory(colonyId, clock, new KeysInMemory().generate(type, 3));
    } catch (IOException e) {
      throw new UncheckedIOException(e); // not in memory
    }
  }

  /** A new authority in memory with a root of these keys, and intermediates of P-256. */
  static Authority create(ColonyId colonyId, InstantSource clock, KeyPair root) {
    List<KeyPair> pairs = List.of(root, KeyType.P_256.generate(), KeyType.P_256.generate());
    return inMemory(colonyId, clock, pairs);
  }

  private static Authority inMemory(ColonyId colonyId, InstantSource clock, List<KeyPair> pairs) {
    try {
      return made(colonyId, Optional.empty(), new KeysInMemory(), pairs, clock.instant());
    } catch (IOException e) {
      throw new UncheckedIOException(e); // not in memory
    }
  }

  /**
   * A new authority in a directory of mode 0700.
   *
   * @param type of all its keys
   * @throws FileAlreadyExistsException if there is one; then nothing is changed
   * @throws IOException if a key or a file could not be written
   */
  public static Authority create(
      ColonyId colonyId, Path directory, AuthorityKeys keys, KeyType type, InstantSource clock)
      throws IOException {
    requireNone(directory);
    SecureFiles.createDirectory(directory);
    return made(
        colonyId,
        Optional.of(new AuthorityStateFile(directory)),
        keys,
        keys.generate(type, 3),
        clock.instant());
  }

  /**
   * @param pairs of the root and of its intermediates
   */
  private static Authority made(
      ColonyId colonyId,
      Optional<AuthorityStateFile> file,
      AuthorityKeys keys,
      List<KeyPair> pairs,
      Instant now)
      throws IOException {
    PrivateKey rootKey = pairs.get(0).getPrivate();
    X509Certificate root = CertificateForm.root(colonyId, 1, pairs.get(0), now);
    keys.put(AuthorityState.ROOT_KEY, rootKey, root);
    AuthorityState state =
        AuthorityState.of(
            IntermediateRenewal.with(
                new AuthorityState.Root(
                    AuthorityState.ROOT_KEY, 1, root, Optional.empty(), List.of()),
                new Issuer(root, rootKey),
                EnumSet.allOf(Intermediate.Kind.class),
                pairs.subList(1, 3),
                keys,
                now));
    if (file.isPresent()) {
      file.get().write(state);
    }
    return new Authority(keys, file, state);
  }

  /** {@link #load(Path, AuthorityKeys)} with keys in files of the same directory. */
  public static Authority load(Path directory) throws IOException {
    return load(directory, new KeyFiles(directory));
  }

  /**
   * Reads an authority. One that an earlier version made has no intermediates yet: {@link
   * #renewIntermediates} makes them.
   *
   * @throws IOException naming the file that is missing, open to others or malformed, or that is
   *     not of the authority of a colony
   */
  public static Authority load(Path directory, AuthorityKeys keys) throws IOException {
    AuthorityStateFile file = new AuthorityStateFile(directory);
    AuthorityState state = file.read();
    try {
      return new Authority(keys, Optional.of(file), state);
    } catch (IllegalStateException | IllegalArgumentException e) {
      throw new IOException(
          directory + " and the keys in " + keys.description() + ": " + e.getMessage(), e);
    }
  }

  /** {@link #save(Path, AuthorityKeys)} with keys in files of the same directory. */
  public void save(Path directory) throws IOException {
    save(directory, new KeyFiles(directory));
  }

  /**
   * Writes a new authority into a directory of mode 0700: its keys, then its certificates.
   *
   * @throws FileAlreadyExistsException if there is one; then nothing is changed
   */
  public void save(Path directory, AuthorityKeys target) throws IOException {
    requireNone(directory);
    SecureFiles.createDirectory(directory);
    Hierarchy now = hierarchy;
    for (Issuer issuer : now.issuers()) {
      target.put(now.name(issuer.certificate()), issuer.key(), issuer.certificate());
    }
    new AuthorityStateFile(directory).write(now.state());
  }

  private static void requireNone(Path directory) throws FileAlreadyExistsException {
    for (String name : List.of(CERTIFICATE_FILE, KEY_FILE, AuthorityStateFile.NAME)) {
      Path taken = directory.resolve(name);
      if (Files.exists(taken, LinkOption.NOFOLLOW_LINKS)) {
        throw new FileAlreadyExistsException(
            taken.toString(), null, "exists and is never overwritten");
      }
    }
  }

  /** The root that signs now, and that new agents pin. */
  public X509Certificate certificate() {
    return hierarchy.state().signing().certificate();
  }

  /** By which new agents pin this colony. */
  public Fingerprint fingerprint() {
    try {
      return Fingerprint.of(certificate().getEncoded());
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException("a certificate without an encoding", e);
    }
  }

  /** The colony that the authority was made for. */
  public ColonyId colonyId() {
    return hierarchy.state().colonyId();
  }

  /** What agents have to trust. */
  public TrustBundle trustBundle() {
    return hierarchy.bundle();
  }

  /** Every intermediate that has not ended; of each kind, the last signs. */
  public List<Intermediate> intermediates() {
    return hierarchy.state().signing().intermediates();
  }

  /** Whether the key of the root that signs is within reach. */
  public boolean isRootOnline() {
    return hierarchy.issuer(certificate()).isPresent();
  }

  /**
   * A certificate with the intermediate that signed it, as its holder has to show it; alone if a
   * root signed it, before there were intermediates.
   *
   * @throws IllegalArgumentException if it is not of this authority
   */
  public List<X509Certificate> chain(X509Certificate leaf) {
    return hierarchy.chain(leaf);
  }

  /**
   * What a server shows to clients that pin a root: {@link #chain}, the roots that vouch for each
   * other, and the roots themselves.
   */
  public List<X509Certificate> presented(X509Certificate leaf) {
    return hierarchy.presented(leaf);
  }

  /** Whether a server's chain is what {@link #presented} would give for its leaf now. */
  public boolean presents(List<X509Certificate> chain) {
    return hierarchy.presents(chain);
  }

  /**
   * Whether a client's certificate is of a root that is still trusted: signed by one of its
   * intermediates for clients, or by itself before there were any. Says nothing of its time and of
   * revocation.
   */
  public boolean signedClient(X509Certificate leaf) {
    return hierarchy.signedClient(leaf);
  }

  /** Whether a key is that of a root or an intermediate: nobody else gets a certificate for it. */
  public boolean isOwnKey(PublicKey key) {
    return hierarchy.state().certificates().anyMatch(own -> own.getPublicKey().equals(key));
  }

  /** All that can sign now: roots and intermediates, present and former. */
  List<Issuer> issuers() {
    return hierarchy.issuers();
  }

  /**
   * Issues a certificate with a new serial number, good from a minute before {@code now} until
   * {@code now + validity}, or until its issuer ends.
   *
   * @throws IllegalStateException if there is nothing that could sign it
   */
  public X509Certificate issue(
      CertificateProfile profile, PublicKey subjectKey, Instant now, Duration validity) {
    return issue(
        profile, subjectKey, now.minus(BACKDATE), validity.plus(BACKDATE), SerialNumbers.next());
  }

  /**
   * Issues a certificate. It has been parsed back and checked against its profile when this
   * returns. Milliseconds of one core.
   *
   * @param subjectKey whose holder has proved possession of the private half
   * @param notBefore cut to a second
   * @param validity positive; cut so that no certificate outlives its issuer, which lives for up to
   *     two years
   * @throws IllegalArgumentException if the profile is another colony's or the validity not
   *     positive
   * @throws IllegalStateException if the issuer has ended or its key is missing, or the certificate
   *     is not what its profile says
   */
  public X509Certificate issue(
      CertificateProfile profile,
      PublicKey subjectKey,
      Instant notBefore,
      Duration validity,
      BigInteger serial) {
    return hierarchy.issue(profile, subjectKey, notBefore, validity, serial);
  }

  /**
   * Makes the intermediates that are missing, and those that follow one older than a year. What
   * they replace stays good, and is forgotten when it has ended. Does nothing else; seconds for
   * RSA.
   *
   * @param type of new keys
   * @return whether something was made
   * @throws IOException if something has to be made and cannot: the root's key is not there, or a
   *     file could not be written; then nothing has changed, and what is there goes on signing
   */
  public synchronized boolean renewIntermediates(KeyType type, Instant now) throws IOException {
    if (!IntermediateRenewal.isDue(hierarchy.state(), now)) {
      return false;
    }
    change((present, place) -> IntermediateRenewal.renewed(present, place, type, now));
    return true;
  }

  /**
   * What the authority vouches for besides certificates.
   *
   * @param bytes SHA-256 with the algorithm of the signer's key
   * @param chain the signer's certificate first, without the root
   */
  @SuppressWarnings("ArrayRecordComponent") // an answer, compared by nobody
  public record Signature(byte[] bytes, List<X509Certificate> chain) {}

  /**
   * Signs a text by the intermediate that signs for servers, which is at hand when the root is not.
   * The text has to begin with the name of its form, so that it can never pass for a certificate or
   * a list of revocations, which begin with the byte 0x30.
   *
   * @throws IllegalArgumentException for a text that begins as they do
   * @throws IllegalStateException if the key is missing
   */
  public Signature sign(byte[] text) {
    if (text.length == 0 || text[0] == 0x30) {
      throw new IllegalArgumentException("the authority signs texts that begin with their form");
    }
    Issuer issuer = hierarchy.signing(Intermediate.Kind.SERVER);
    ContentSigner signer = issuer.signer();
    try (OutputStream out = signer.getOutputStream()) {
      out.write(text);
    } catch (IOException e) {
      throw new IllegalStateException("the authority's key cannot sign", e);
    }
    return new Signature(signer.getSignature(), List.of(issuer.certificate()));
  }

  /**
   * When the first of the intermediates that sign ends, and with it what can be issued; empty if
   * one is missing.
   */
  public Optional<Instant> issuesUntil() {
    return hierarchy.issuesUntil();
  }

  /**
   * Tells of every change of what signs or is trusted, on the thread that made it, once it is in
   * effect.
   */
  public void onChange(Runnable listener) {
    listeners.add(listener);
  }

  /** What follows from what is there. */
  interface Change {
    /** Keeps new keys and returns the next state; changes nothing else. */
    AuthorityState apply(Hierarchy present, AuthorityKeys keys) throws IOException;
  }

  /**
   * Changes the state: new keys are kept, then the state is on disk, then it has an effect, and
   * then the keys of what it has dropped are destroyed. What a crash leaves behind at any moment is
   * one state or the other, with all of its keys.
   */
  synchronized void change(Change change) throws IOException {
    // A key may have been taken away or brought back meanwhile.
    Hierarchy present = Hierarchy.of(hierarchy.state(), keys);
    AuthorityState next = change.apply(present, keys);
    Hierarchy following = Hierarchy.of(next, keys);
    if (file.isPresent()) {
      file.get().write(next);
    }
    hierarchy = following;
    for (String dropped : present.state().keyNames()) {
      if (!next.keyNames().contains(dropped)) {
        remove(dropped);
      }
    }
    listeners.forEach(Runnable::run);
  }

  private void remove(String key) {
    try {
      keys.remove(key);
    } catch (IOException e) {
      // It signs nothing any more, and nothing it signs would be believed.
      log.warn("The key '{}', which is not used any more, is still there", key, e);
    }
  }

  /** What there is now. */
  Hierarchy hierarchy() {
    return hierarchy;
  }

  /** Without any private key. */
  @Override
  public String toString() {
    return "Authority[" + certificate().getSubjectX500Principal() + "]";
  }
}
