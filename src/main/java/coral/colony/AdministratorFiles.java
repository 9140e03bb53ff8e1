package coral.colony;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import coral.certificate.Authority;
import coral.certificate.CertificateProfile;
import coral.certificate.Identity;
import coral.certificate.KeyType;
import coral.certificate.SerialNumbers;
import coral.files.Pem;
import coral.files.SecureFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The first administrator's key and certificate, and what was there before. They are made on the
 * colony's host, with the keys of its authority and without the colony; {@code renewed.json} tells
 * the colony which certificates have ended when it first sees the newest one.
 *
 * @param directory {@code admin} in the colony's
 */
public record AdministratorFiles(Path directory) {
  static final String NAME = "admin";
  private static final Duration VALIDITY = Duration.ofDays(365);
  private static final ObjectMapper JSON = new ObjectMapper();

  /** A certificate before the newest one, with its end. */
  record Former(String serial, Instant notAfter) {}

  /**
   * The last renewal.
   *
   * @param serial of the newest certificate
   * @param former those that it replaces and that have not ended by themselves
   */
  record Renewal(String serial, Instant at, List<Former> former) {
    Renewal {
      former = List.copyOf(former);
    }
  }

  /** The certificate, with what signed it. */
  public Path certificate() {
    return directory.resolve("cert.pem");
  }

  /** The private key. */
  public Path key() {
    return directory.resolve("key.pem");
  }

  private Path renewalFile() {
    return directory.resolve("renewed.json");
  }

  /** Makes the first key and certificate, good for a year. */
  Identity create(Authority authority, Instant now) throws IOException {
    Identity identity = issue(authority, now);
    identity.save(certificate(), key());
    return identity;
  }

  /**
   * Makes a new key and certificate, good for a year. The former one is good until the colony first
   * sees the new one. That it ends then is on disk before the new one is.
   *
   * @throws IOException if a file could not be read or written; then the former one is good still
   * @throws IllegalStateException if the authority cannot sign
   */
  public Identity renew(Authority authority, Instant now) throws IOException {
    Identity renewed = issue(authority, now);
    List<Former> former = new ArrayList<>();
    Optional<Renewal> last = renewal();
    if (last.isPresent()) {
      former.addAll(last.get().former());
    }
    if (Files.exists(certificate())) {
      X509Certificate replaced = Pem.readCertificates(certificate()).get(0);
      former.add(new Former(serial(replaced), replaced.getNotAfter().toInstant()));
    }
    former.removeIf(one -> now.isAfter(one.notAfter()));
    write(new Renewal(serial(renewed.certificate()), now, former.stream().distinct().toList()));
    renewed.save(certificate(), key());
    return renewed;
  }

  private static Identity issue(Authority authority, Instant now) {
    KeyPair keys = KeyType.P_256.generate();
    X509Certificate leaf =
        authority.issue(
            CertificateProfile.administrator(authority.colonyId(), NAME),
            keys.getPublic(),
            now,
            VALIDITY);
    return new Identity(keys.getPrivate(), authority.chain(leaf));
  }

  private static String serial(X509Certificate certificate) {
    return SerialNumbers.hex(certificate.getSerialNumber());
  }

  /**
   * The numbers of the certificate and of those before it that have not ended by themselves.
   *
   * @throws IOException naming the file that cannot be read
   */
  Set<String> serials() throws IOException {
    Set<String> serials = new HashSet<>();
    if (Files.exists(certificate())) {
      serials.add(serial(Pem.readCertificates(certificate()).get(0)));
    }
    renewal()
        .ifPresent(
            last -> {
              serials.add(last.serial());
              last.former().forEach(former -> serials.add(former.serial()));
            });
    return serials;
  }

  /**
   * The last renewal; empty if there was none.
   *
   * @throws IOException naming the file if it cannot be read
   */
  Optional<Renewal> renewal() throws IOException {
    if (!Files.exists(renewalFile())) {
      return Optional.empty();
    }
    try {
      JsonNode json = JSON.readTree(SecureFiles.readPrivate(renewalFile(), Pem.MAX_BUNDLE_BYTES));
      List<Former> former = new ArrayList<>();
      for (JsonNode one : json.path("former")) {
        former.add(
            new Former(
                one.path("serialNumber").asText(), Instant.parse(one.path("expiresAt").asText())));
      }
      return Optional.of(
          new Renewal(
              json.path("serialNumber").asText(),
              Instant.parse(json.path("renewedAt").asText()),
              former));
    } catch (JsonProcessingException | DateTimeException e) {
      throw new IOException(renewalFile() + " is not what 'coral admin renew' wrote", e);
    }
  }

  private void write(Renewal renewal) throws IOException {
    ObjectNode json = JSON.createObjectNode();
    json.put("serialNumber", renewal.serial());
    json.put("renewedAt", renewal.at().toString());
    ArrayNode former = json.putArray("former");
    for (Former one : renewal.former()) {
      former
          .addObject()
          .put("serialNumber", one.serial())
          .put("expiresAt", one.notAfter().toString());
    }
    SecureFiles.write(
        renewalFile(), (json.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8));
  }
}
