package coral.agent;

import coral.certificate.CertificateRequests;
import coral.certificate.Identity;
import coral.certificate.KeyType;
import coral.files.Pem;
import coral.files.SecureFiles;
import coral.model.AgentId;
import coral.wireguard.KeyPair;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.Optional;

/**
 * What one agent keeps under {@code agents/<agent id>}: files of mode 0600 in a directory of mode
 * 0700, each written whole or not at all. Blocks.
 */
final class AgentFiles {
  /** 44 characters of base64 and a line feed, with room for a Windows editor. */
  private static final int MAX_WIREGUARD_KEY_BYTES = 64;

  private static final int MAX_RECORD_BYTES = 16 * 1024;

  private final Path directory;
  private final AgentId agentId;

  AgentFiles(Path home, AgentId agentId) {
    this.directory = home.resolve("agents").resolve(agentId.value());
    this.agentId = agentId;
  }

  Path directory() {
    return directory;
  }

  /** A key with the request for its certificate, which stays the same from try to try. */
  record Request(PrivateKey key, String pem) {}

  /** The WireGuard key; made at the first call. */
  KeyPair wireGuardKeys() throws IOException {
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
    SecureFiles.createDirectory(directory);
    SecureFiles.write(file, text.getBytes(StandardCharsets.US_ASCII));
    return keys;
  }

  /** The certificate with its key; empty before it was bought. */
  Optional<Identity> identity() throws IOException {
    if (!Files.exists(certificateFile())) {
      return Optional.empty();
    }
    return Optional.of(Identity.load(certificateFile(), keyFile()));
  }

  /**
   * The key and the request to buy a certificate with; made at the first call. On disk before it is
   * sent, so that a lost answer is asked for again with the key that the colony has bound to this
   * agent.
   */
  Request certificateRequest() throws IOException {
    Path requestFile = directory.resolve("request.pem");
    if (Files.exists(requestFile) && Files.exists(keyFile())) {
      return new Request(
          Pem.readPrivateKey(keyFile()),
          new String(
              SecureFiles.readPrivate(requestFile, Pem.MAX_REQUEST_BYTES),
              StandardCharsets.US_ASCII));
    }
    if (Files.exists(certificateFile())) {
      throw new IOException(
          requestFile
              + " is missing beside "
              + certificateFile()
              + ": restore it, or remove both"
              + " and the key to join as a new agent");
    }
    java.security.KeyPair keys = KeyType.P_256.generate();
    byte[] pem = CertificateRequests.create(agentId, keys);
    SecureFiles.createDirectory(directory);
    SecureFiles.write(keyFile(), Pem.encode(keys.getPrivate()).getBytes(StandardCharsets.US_ASCII));
    SecureFiles.write(requestFile, pem);
    return new Request(keys.getPrivate(), new String(pem, StandardCharsets.US_ASCII));
  }

  /** Keeps a certificate that was bought with {@link #certificateRequest}. */
  void keep(Identity identity, X509Certificate authority) throws IOException {
    SecureFiles.write(
        directory.resolve("ca-cert.pem"),
        Pem.encode(authority).getBytes(StandardCharsets.US_ASCII));
    SecureFiles.write(
        certificateFile(), Pem.encode(identity.chain()).getBytes(StandardCharsets.US_ASCII));
  }

  /** What is remembered of the colony; empty before the first join. */
  Optional<KnownColony> colony() throws IOException {
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

  /** Remembers the colony; writes only what has changed. */
  void remember(KnownColony colony) throws IOException {
    if (!colony().equals(Optional.of(colony))) {
      SecureFiles.createDirectory(directory);
      SecureFiles.write(directory.resolve("colony.conf"), colony.toBytes());
    }
  }

  private Path certificateFile() {
    return directory.resolve("cert.pem");
  }

  private Path keyFile() {
    return directory.resolve("key.pem");
  }
}
