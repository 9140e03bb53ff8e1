package coral.colony;

import coral.certificate.Authority;
import coral.certificate.AuthoritySettings;
import coral.certificate.CertificateProfile;
import coral.certificate.Identity;
import coral.certificate.KeyType;
import coral.files.SecureFiles;
import coral.model.ColonyId;
import coral.model.Fingerprint;
import coral.model.Secret;
import coral.ownership.ColonyOwner;
import coral.wireguard.KeyPair;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a colony keeps on disk, all of it 0600 in directories 0700:
 *
 * <pre>
 * colony.conf               its settings
 * secret                    what discovery sells registration tokens for; known to hosts
 * secret.next               the one that is about to follow, while it is being replaced
 * secret.former             the one before, and when it ends
 * owner-key.pem             what the colony proves by, at discovery, that it is itself
 * owner-sequence            how far it has come with its signatures
 * discovery-keys.json       the keys whose registration tokens are believed
 * wireguard.key             private key of the hub, base64 as `wg genkey` prints it
 * ca-cert.pem               the root, which agents pin; two while one follows another
 * ca.json                   the authority: its roots and intermediates, without their keys
 * ca-key.pem                private key of the root; may be kept elsewhere
 * ca-*-key.pem              private keys of the intermediates
 * tls-cert.pem tls-key.pem  what the gRPC port shows; replaced when it grows old
 * admin/                    the first administrator's key and certificate
 * colony.duckdb             journal and tables
 * </pre>
 *
 * @param directory of this one colony
 */
public record ColonyFiles(Path directory) {
  /** A year; it is replaced when less than a third is left, at start or on any day. */
  private static final Duration SERVER_VALIDITY = Duration.ofDays(365);

  private static final String SECRET_PREFIX = "coral-sec_";
  private static final int SECRET_BYTES = 32;
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final Logger log = LoggerFactory.getLogger(ColonyFiles.class);

  /**
   * What {@code coral init} has to tell.
   *
   * @param secret shown once, kept in {@code secretFile}
   * @param caFingerprint what agents pin
   */
  public record Created(
      ColonyId colonyId,
      Secret secret,
      Fingerprint caFingerprint,
      Path directory,
      Path settingsFile,
      Path secretFile,
      Path caCertificate,
      Path administratorCertificate,
      Path administratorKey) {}

  /** Where a colony's files are unless it is told otherwise. */
  public static Path directory(Path home, ColonyId colonyId) {
    return home.resolve("colonies").resolve(colonyId.value());
  }

  /**
   * Makes a new colony in {@code colonies/<colony-id>} of {@code home}. Its id is {@code
   * <app>-<environment>-<6 random hexadecimal digits>}.
   *
   * @throws IllegalArgumentException if app and environment do not make a colony id
   * @throws IOException naming the file that could not be written
   */
  public static Created create(String app, String environment, Path home, InstantSource clock)
      throws IOException {
    ColonyId id = newId(app, environment);
    return createIn(directory(home, id), id, app, environment, AuthoritySettings.defaults(), clock);
  }

  /**
   * An id that no other colony has: {@code <app>-<environment>-<6 random hexadecimal digits>}.
   *
   * @throws IllegalArgumentException if app and environment do not make a colony id
   */
  public static ColonyId newId(String app, String environment) {
    byte[] suffix = new byte[3];
    RANDOM.nextBytes(suffix);
    return new ColonyId(app + "-" + environment + "-" + HexFormat.of().formatHex(suffix));
  }

  /**
   * Makes a new colony in a directory that holds none yet.
   *
   * @throws FileAlreadyExistsException if there is anything in the directory; it is unchanged then
   * @throws IOException naming the file that could not be written
   */
  public static Created createIn(
      Path directory,
      ColonyId id,
      String app,
      String environment,
      AuthoritySettings settings,
      InstantSource clock)
      throws IOException {
    if (Files.exists(directory)) {
      try (var entries = Files.list(directory)) {
        if (entries.findAny().isPresent()) {
          throw new FileAlreadyExistsException(
              directory.toString(), null, "there is a colony or something else in it already");
        }
      }
    }
    Path absolute = directory.toAbsolutePath().normalize();
    ColonyFiles files = new ColonyFiles(absolute);
    SecureFiles.createDirectory(absolute);
    SecureFiles.createDirectory(absolute.resolve("admin"));
    Authority authority =
        Authority.create(id, absolute, settings.open(absolute), settings.keyType(), clock);
    Secret secret = newSecret();
    SecureFiles.createNew(files.secretFile(), bytes(secret.reveal() + "\n"));
    files.owner(settings, clock);
    byte[] key = KeyPair.generate().privateKeyBytes();
    SecureFiles.createNew(
        files.wireGuardKeyFile(), bytes(Base64.getEncoder().encodeToString(key) + "\n"));
    files.issueServerIdentity(authority, clock.instant());
    files.administrator().create(authority, clock.instant());
    SecureFiles.createNew(files.settingsFile(), bytes(settings(id, app, environment, absolute)));
    return new Created(
        id,
        secret,
        authority.fingerprint(),
        absolute,
        files.settingsFile(),
        files.secretFile(),
        files.caCertificate(),
        files.administrator().certificate(),
        files.administrator().key());
  }

  static Secret newSecret() {
    byte[] bytes = new byte[SECRET_BYTES];
    RANDOM.nextBytes(bytes);
    return new Secret(
        SECRET_PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
  }

  private static String settings(ColonyId id, String app, String environment, Path directory) {
    return """
    # This colony's own settings. Every setting there is, with what it means: `coral.colony` in colony.conf of
    # Coral itself.
    coral.colony {
      id = "%s"
      app = "%s"
      environment = "%s"
      directory = %s
    }
    """
        .formatted(id, app, environment, quoted(directory.toString()));
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  public Path settingsFile() {
    return directory.resolve("colony.conf");
  }

  public Path secretFile() {
    return directory.resolve("secret");
  }

  Path nextSecretFile() {
    return directory.resolve("secret.next");
  }

  Path formerSecretFile() {
    return directory.resolve("secret.former");
  }

  /** What {@link PreviousSettings} keeps. */
  Path lastSettings() {
    return directory.resolve("last-settings.json");
  }

  /** What {@link OwnCertificates} keeps. */
  Path recordedCertificates() {
    return directory.resolve("recorded-certificates.txt");
  }

  public Path caCertificate() {
    return directory.resolve("ca-cert.pem");
  }

  /** The first administrator's. */
  public AdministratorFiles administrator() {
    return new AdministratorFiles(directory.resolve("admin"));
  }

  public Path database() {
    return directory.resolve("colony.duckdb");
  }

  private Path wireGuardKeyFile() {
    return directory.resolve("wireguard.key");
  }

  Path serverCertificate() {
    return directory.resolve("tls-cert.pem");
  }

  private Path serverKey() {
    return directory.resolve("tls-key.pem");
  }

  /**
   * The authority, with its intermediates.
   *
   * @throws IOException if it cannot be read, or intermediates are missing and cannot be made
   */
  Authority authority(AuthoritySettings settings, InstantSource clock) throws IOException {
    Authority authority = Authority.load(directory, settings.open(directory));
    renew(authority, settings, clock);
    return authority;
  }

  /**
   * Makes intermediates that are missing, and those that follow old ones. Without the root's key
   * the old ones go on, with a warning.
   *
   * @throws IOException if they cannot be made, and there are none that could go on
   */
  void renew(Authority authority, AuthoritySettings settings, InstantSource clock)
      throws IOException {
    Instant now = clock.instant();
    try {
      if (authority.renewIntermediates(settings.keyType(), now)) {
        log.info("The certificate authority has new intermediates");
      }
    } catch (IOException e) {
      Optional<Instant> end = authority.issuesUntil();
      if (end.isEmpty() || !now.isBefore(end.get())) {
        throw e;
      }
      log.warn(
          "The certificate authority's intermediates are old, and end in {} days: {}",
          Duration.between(now, end.get()).toDays(),
          e.getMessage());
    }
  }

  /**
   * The owner of the colony at discovery, whose key is made if there is none.
   *
   * @throws IOException naming the file that cannot be read or written
   */
  ColonyOwner owner(AuthoritySettings settings, InstantSource clock) throws IOException {
    return ColonyOwner.open(directory, settings.filePassphrase(), clock);
  }

  /** The colony secret. */
  Secret secret() throws IOException {
    return secretIn(secretFile());
  }

  /** A colony secret in one of the files of such. */
  Secret secretIn(Path file) throws IOException {
    try {
      return secret(new String(SecureFiles.readPrivate(file), StandardCharsets.UTF_8).strip());
    } catch (IllegalArgumentException e) {
      throw new IOException(file + " does not hold a colony secret", e);
    }
  }

  /**
   * Takes a text for a colony secret.
   *
   * @throws IllegalArgumentException if it is none, without a word of it
   */
  static Secret secret(String text) {
    if (!text.startsWith(SECRET_PREFIX) || text.length() < SECRET_PREFIX.length() + SECRET_BYTES) {
      throw new IllegalArgumentException("not a colony secret");
    }
    return new Secret(text);
  }

  /** The hub's key. */
  KeyPair wireGuardKey() throws IOException {
    String text =
        new String(SecureFiles.readPrivate(wireGuardKeyFile()), StandardCharsets.US_ASCII).strip();
    try {
      return KeyPair.ofPrivateKey(Base64.getDecoder().decode(text));
    } catch (IllegalArgumentException e) {
      // Without its cause, which may quote the key.
      throw new IOException(wireGuardKeyFile() + " does not hold a WireGuard private key");
    }
  }

  /** What the gRPC port shows: renewed if less than a third of its life is left, or if missing. */
  Identity serverIdentity(Authority authority, InstantSource clock) throws IOException {
    Instant now = clock.instant();
    if (!Files.exists(serverCertificate())) {
      return issueServerIdentity(authority, now);
    }
    Identity identity = Identity.load(serverCertificate(), serverKey());
    Instant notBefore = identity.certificate().getNotBefore().toInstant();
    Instant notAfter = identity.certificate().getNotAfter().toInstant();
    Duration left = Duration.between(now, notAfter);
    boolean old = left.multipliedBy(3).compareTo(Duration.between(notBefore, notAfter)) < 0;
    return old || !authority.presents(identity.chain())
        ? issueServerIdentity(authority, now)
        : identity;
  }

  private Identity issueServerIdentity(Authority authority, Instant now) throws IOException {
    java.security.KeyPair keys = KeyType.P_256.generate();
    Identity identity =
        new Identity(
            keys.getPrivate(),
            // With the root, which clients pin.
            authority.presented(
                authority.issue(
                    CertificateProfile.server(authority.colonyId()),
                    keys.getPublic(),
                    now,
                    SERVER_VALIDITY)));
    identity.save(serverCertificate(), serverKey());
    return identity;
  }
}
