package coral.cli;

import coral.certificate.CertificateRequests;
import coral.certificate.KeyType;
import coral.files.Pem;
import coral.files.SecureFiles;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.RefusedException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.util.List;

/**
 * The key of a context that is being imported, with the request for its certificate. It is on disk
 * before the colony sees it, and the same from try to try.
 *
 * @param request PKCS#10 in PEM
 * @param requestId the same for the same key
 */
record PendingKey(PrivateKey key, String request, String requestId) {
  private static final String KEY = ".key.pem";
  private static final String REQUEST = ".request.pem";

  /** As many characters as tell keys apart. */
  private static final int ID_LENGTH = 32;

  /** The one of an earlier try; made at the first. */
  static PendingKey of(CoralHome home, ColonyId colony, AgentId name) throws IOException {
    Path folder = folder(home, colony);
    Path keyFile = folder.resolve(name + KEY);
    Path requestFile = folder.resolve(name + REQUEST);
    if (!Files.exists(requestFile)) {
      KeyPair keys = KeyType.P_256.generate();
      SecureFiles.createDirectory(folder);
      SecureFiles.write(keyFile, Pem.encode(keys.getPrivate()).getBytes(StandardCharsets.US_ASCII));
      SecureFiles.write(requestFile, CertificateRequests.create(name, keys));
    }
    byte[] request = SecureFiles.readPrivate(requestFile, Pem.MAX_REQUEST_BYTES);
    try {
      String hash = CertificateRequests.verify(request, name).keyHash();
      return new PendingKey(
          Pem.readPrivateKey(keyFile),
          new String(request, StandardCharsets.US_ASCII),
          hash.substring(0, ID_LENGTH));
    } catch (RefusedException e) {
      throw new IOException(requestFile + ": " + e.getMessage() + "; remove it to begin anew", e);
    }
  }

  /** Removes what earlier tries for this colony have left. */
  static void forget(CoralHome home, ColonyId colony) throws IOException {
    Path folder = folder(home, colony);
    if (!Files.isDirectory(folder)) {
      return;
    }
    List<Path> files;
    try (var entries = Files.list(folder)) {
      files = entries.toList();
    }
    for (Path file : files) {
      Files.delete(file);
    }
    Files.delete(folder);
  }

  /** No colony has such an id, so that nobody takes it for the folder of one. */
  private static Path folder(CoralHome home, ColonyId colony) {
    return home.colony(colony).resolveSibling(".import-" + colony);
  }

  /** Without the key. */
  @Override
  public String toString() {
    return "PendingKey[" + requestId + "]";
  }
}
