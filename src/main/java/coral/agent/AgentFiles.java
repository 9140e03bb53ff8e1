package coral.agent;

import coral.certificate.Identity;
import coral.certificate.TrustBundle;
import coral.files.Pem;
import coral.files.SecureFiles;
import coral.model.AgentId;
import coral.rpc.CallerIdentity;
import coral.wireguard.KeyPair;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * What one agent keeps under {@code agents/<agent id>}, or a proxy under {@code proxies/<colony
 * id>}: files of mode 0600 in a directory of mode 0700, each written whole or not at all. Blocks;
 * thread-safe.
 *
 * <p>{@code identity.pem} is the certificate with its key, in one file because they are replaced
 * together. {@code next-request.pem} is the next key with the request for its certificate: it is on
 * disk before it is sent, so that a lost answer is asked for again with the key that the colony has
 * seen, and gone once the certificate is in {@code identity.pem}.
 */
final class AgentFiles {
  /** 44 characters of base64 and a line feed, with room for a Windows editor. */
  private static final int MAX_WIREGUARD_KEY_BYTES = 64;

  private static final int MAX_RECORD_BYTES = 16 * 1024;

  /** Of releases that kept key and certificate apart. */
  private static final List<String> FORMER_FILES =
      List.of("cert.pem", "key.pem", "request.pem", "ca-cert.pem");

  private final Path directory;
  private final AgentId agentId;
  private final FileChanges changes;

  /**
   * Files that need not exist.
   *
   * @param directory {@link AgentSettings#directory}
   */
  AgentFiles(Path directory, AgentId agentId) {
    this(directory, agentId, FileChanges.ON_DISK);
  }

  AgentFiles(Path directory, AgentId agentId, FileChanges changes) {
    this.directory = directory;
    this.agentId = agentId;
    this.changes = changes;
  }

  /** Whose certificate is in a directory; empty if there is none that can be read. */
  static Optional<AgentId> holder(Path directory) {
    try {
      Path file = directory.resolve("identity.pem");
      if (!Files.exists(file)) {
        return Optional.empty();
      }
      KeyFile parts = KeyFile.parse(readPrivate(file), Pem.CERTIFICATE);
      String uri = CallerIdentity.uris(Pem.certificates(parts.rest()).get(0)).get(0);
      return Optional.of(new AgentId(uri.substring(uri.lastIndexOf('/') + 1)));
    } catch (IOException | RuntimeException e) {
      return Optional.empty(); // whoever needs the certificate says what is wrong with it
    }
  }

  Path directory() {
    return directory;
  }

  /** The WireGuard key; made at the first call. */
  synchronized KeyPair wireGuardKeys() throws IOException {
    Path file = directory.resolve("wireguard.key");
    if (Files.exists(file)) {
      String text =
          new String(
                  SecureFiles.readPrivate(file, MAX_WIREGUARD_KEY_BYTES), StandardCharsets.US_ASCII)
              .strip();
      try {
        return KeyPair.ofPrivateKey(Base64.getDecoder().decode(text));
      } catch (IllegalArgumentException e) {
        // Without its cause, which may quote the key.
        throw new IOException(file + " is not a WireGuard private key in base64");
      }
    }
    KeyPair keys = KeyPair.generate();
    String text = Base64.getEncoder().encodeToString(keys.privateKeyBytes()) + "\n";
    write(file, text.getBytes(StandardCharsets.US_ASCII));
    return keys;
  }

  /** The certificate with its key; empty before it was bought. */
  synchronized Optional<Identity> identity() throws IOException {
    Path file = identityFile();
    if (!Files.exists(file)) {
      Path former = directory.resolve("cert.pem");
      return Files.exists(former)
          ? Optional.of(Identity.load(former, directory.resolve("key.pem")))
          : Optional.empty();
    }
    try {
      KeyFile parts = KeyFile.parse(readPrivate(file), Pem.CERTIFICATE);
      return Optional.of(new Identity(parts.key(), Pem.certificates(parts.rest())));
    } catch (IllegalArgumentException | IOException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
  }

  /** The key and the request that the colony may have seen; empty if none is under way. */
  synchronized Optional<CertificateRequest> pendingRequest() throws IOException {
    Path file = requestFile();
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    CertificateRequest pending;
    try {
      pending = CertificateRequest.parse(readPrivate(file), agentId);
    } catch (IOException e) {
      throw new IOException(file + ": " + e.getMessage() + "; remove it to ask anew", e);
    }
    // The process may have stopped between the certificate's coming and the request's going.
    boolean isDone = identity().map(Identity::key).equals(Optional.of(pending.key()));
    return isDone ? Optional.empty() : Optional.of(pending);
  }

  /** The pending request; made at the first call, and on disk when this returns. */
  synchronized CertificateRequest request() throws IOException {
    Optional<CertificateRequest> pending = pendingRequest();
    if (pending.isPresent()) {
      return pending.get();
    }
    CertificateRequest request = CertificateRequest.create(agentId);
    write(requestFile(), request.toBytes());
    return request;
  }

  /** Gives up a request that the colony has refused: the next one has another key. */
  synchronized void discardRequest() throws IOException {
    changes.delete(requestFile());
  }

  /** Replaces key and certificate by those that the pending request brought, in one step. */
  synchronized void keep(Identity identity) throws IOException {
    write(
        identityFile(),
        (Pem.encode(identity.key()) + Pem.encode(identity.chain()))
            .getBytes(StandardCharsets.US_ASCII));
    changes.delete(requestFile());
    for (String former : FORMER_FILES) {
      changes.delete(directory.resolve(former));
    }
  }

  /** The colony's roots as last told; empty before the first time. */
  synchronized Optional<TrustBundle> trustBundle() throws IOException {
    Path file = bundleFile();
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(BundleRecord.parse(readPrivate(file)));
    } catch (IOException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
  }

  /** Keeps the colony's roots, whatever is kept already: {@link TrustKeeper} decides. */
  synchronized void keep(TrustBundle bundle) throws IOException {
    write(bundleFile(), BundleRecord.toBytes(bundle));
  }

  /** What is remembered of the colony; empty before the first join. */
  synchronized Optional<KnownColony> colony() throws IOException {
    Path file = directory.resolve("colony.conf");
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(KnownColony.parse(SecureFiles.readPrivate(file, MAX_RECORD_BYTES)));
    } catch (IOException e) {
      throw new IOException(
          file + " cannot be read (" + e.getMessage() + "); remove it to name the colony anew", e);
    }
  }

  /**
   * Remembers the colony; writes only what has changed. Roots that were taken from a colony that
   * was pinned otherwise are forgotten.
   */
  synchronized void remember(KnownColony colony) throws IOException {
    Optional<KnownColony> before = colony();
    if (before.equals(Optional.of(colony))) {
      return;
    }
    if (before.isPresent() && !before.get().pin().equals(colony.pin())) {
      changes.delete(bundleFile());
    }
    write(directory.resolve("colony.conf"), colony.toBytes());
  }

  private void write(Path file, byte[] content) throws IOException {
    changes.createDirectory(directory);
    changes.write(file, content);
  }

  private static byte[] readPrivate(Path file) throws IOException {
    return SecureFiles.readPrivate(file, Pem.MAX_BUNDLE_BYTES);
  }

  private Path identityFile() {
    return directory.resolve("identity.pem");
  }

  private Path requestFile() {
    return directory.resolve("next-request.pem");
  }

  Path bundleFile() {
    return directory.resolve("trust-bundle.conf");
  }
}
