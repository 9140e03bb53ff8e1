package coral.cli;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import coral.certificate.Identity;
import coral.files.Pem;
import coral.files.SecureFiles;
import coral.model.ColonyId;
import coral.rpc.CallerIdentity;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * All that another host needs to ask a colony, in one file.
 *
 * @param authorities the colony's roots
 * @param identity whom commands ask as; empty if the file does not say
 */
record PortableContext(
    ContextRecord record, List<X509Certificate> authorities, Optional<Identity> identity) {
  /** A context with two chains of RSA-4096 has 20 KiB. */
  static final int MAX_BYTES = 256 * 1024;

  PortableContext {
    authorities = List.copyOf(authorities);
  }

  /** JSON; with the private key if there is one. */
  String render() {
    Map<String, Object> fields = record.fields();
    fields.put("authorities", Pem.encode(authorities));
    identity.ifPresent(
        who -> {
          fields.put("certificate", Pem.encode(who.chain()));
          fields.put("key", Pem.encode(who.key()));
        });
    return ContextRecord.render(fields);
  }

  /**
   * Reads what {@link #render} wrote.
   *
   * @throws IllegalArgumentException if it is anything else; the message says nothing of a key
   */
  static PortableContext parse(String text) {
    Config config = ContextRecord.parse(text);
    ContextRecord record = ContextRecord.of(config);
    try {
      List<X509Certificate> authorities = certificates(config.getString("authorities"));
      if (!config.hasPath("key")) {
        return new PortableContext(record, authorities, Optional.empty());
      }
      byte[] key = config.getString("key").getBytes(StandardCharsets.US_ASCII);
      Identity identity =
          new Identity(Pem.privateKey(key), certificates(config.getString("certificate")));
      requireOf(record.colonyId(), identity.certificate());
      return new PortableContext(record, authorities, Optional.of(identity));
    } catch (ConfigException e) {
      throw new IllegalArgumentException(
          "it lacks the colony's authorities, or the certificate of its key");
    }
  }

  private static List<X509Certificate> certificates(String pem) {
    return Pem.certificates(pem.getBytes(StandardCharsets.US_ASCII));
  }

  private static void requireOf(ColonyId colony, X509Certificate certificate) {
    String prefix = "spiffe://" + colony + "/";
    List<String> uris = CallerIdentity.uris(certificate);
    if (uris.size() != 1 || !uris.get(0).startsWith(prefix)) {
      throw new IllegalArgumentException("its certificate is of " + uris + ", not of " + prefix);
    }
  }

  /**
   * Puts it into a folder. {@code context.conf} comes last: without it there is no context. An
   * identity that is there stays if this has none.
   */
  void save(Path folder) throws IOException {
    SecureFiles.createDirectory(folder);
    SecureFiles.write(
        AskerIdentity.authorities(folder),
        Pem.encode(authorities).getBytes(StandardCharsets.US_ASCII));
    if (identity.isPresent()) {
      SecureFiles.createDirectory(AskerIdentity.directory(folder));
      identity.get().save(AskerIdentity.certificate(folder), AskerIdentity.key(folder));
    }
    SecureFiles.write(
        folder.resolve(ContextRecord.FILE),
        ContextRecord.render(record.fields()).getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Removes from a folder what {@link #save} put there, and the folder if nothing else is in it.
   *
   * @return whether the folder is gone
   */
  static boolean delete(Path folder) throws IOException {
    Files.deleteIfExists(folder.resolve(ContextRecord.FILE));
    Files.deleteIfExists(AskerIdentity.key(folder));
    Files.deleteIfExists(AskerIdentity.certificate(folder));
    Files.deleteIfExists(AskerIdentity.authorities(folder));
    for (Path directory : List.of(AskerIdentity.directory(folder), folder)) {
      if (Files.isDirectory(directory) && isEmpty(directory)) {
        Files.delete(directory);
      }
    }
    return !Files.exists(folder);
  }

  private static boolean isEmpty(Path directory) throws IOException {
    try (var entries = Files.list(directory)) {
      return entries.findAny().isEmpty();
    }
  }
}
