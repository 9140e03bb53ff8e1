package coral.certificate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import coral.files.Pem;
import coral.files.SecureFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The state of an authority on disk: one file with every certificate of it, replaced as a whole.
 *
 * <p>It is a file and not a journal because it is needed before there is a journal: the nodes of a
 * colony speak to each other by certificates that these authorities signed, and only then read what
 * they have journaled. The keys lie beside it anyway.
 */
final class AuthorityStateFile {
  /** In a colony's directory. */
  static final String NAME = "ca.json";

  /** The version of the form that is written and read. */
  private static final int FORM = 1;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path directory;

  AuthorityStateFile(Path directory) {
    this.directory = directory;
  }

  /**
   * Reads the state. A colony of an earlier version has a root and no state: then it is that of its
   * root alone.
   *
   * @throws IOException naming the file that is missing or malformed
   */
  AuthorityState read() throws IOException {
    Path file = directory.resolve(NAME);
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      Path certificate = directory.resolve(Authority.CERTIFICATE_FILE);
      X509Certificate root = Pem.readCertificates(certificate).get(0);
      return parsed(
          certificate,
          () -> {
            ProfileCheck.root(root);
            return AuthorityState.of(
                new AuthorityState.Root(
                    AuthorityState.ROOT_KEY, 1, root, Optional.empty(), List.of()));
          });
    }
    byte[] text = SecureFiles.readPrivate(file, Pem.MAX_BUNDLE_BYTES);
    return parsed(file, () -> parse(text));
  }

  /** On return the state survives a power failure. */
  void write(AuthorityState state) throws IOException {
    ObjectNode json = JSON.createObjectNode();
    json.put("form", FORM);
    json.put("bundle-version", state.bundleVersion());
    json.put("phase", state.phase().name());
    ArrayNode roots = json.putArray("roots");
    for (AuthorityState.Root root : state.roots()) {
      ObjectNode node = roots.addObject();
      node.put("key", root.key());
      node.put("generation", root.generation());
      node.put("certificate", Pem.encode(root.certificate()));
      root.cross().ifPresent(cross -> node.put("cross", Pem.encode(cross)));
      ArrayNode intermediates = node.putArray("intermediates");
      for (Intermediate intermediate : root.intermediates()) {
        intermediates
            .addObject()
            .put("key", intermediate.key())
            .put("kind", intermediate.kind().name())
            .put("generation", intermediate.generation())
            .put("certificate", Pem.encode(intermediate.certificate()));
      }
    }
    SecureFiles.write(
        directory.resolve(NAME), (json.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8));
    // For people and for the command line: what the state says, and never read back.
    SecureFiles.write(
        directory.resolve(Authority.CERTIFICATE_FILE),
        Pem.encode(state.trusted().stream().map(AuthorityState.Root::certificate).toList())
            .getBytes(StandardCharsets.US_ASCII));
  }

  private interface Parsing {
    AuthorityState parse() throws JsonProcessingException, IOException;
  }

  private static AuthorityState parsed(Path file, Parsing parsing) throws IOException {
    try {
      return parsing.parse();
    } catch (JsonProcessingException | IllegalArgumentException | IllegalStateException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
  }

  private static AuthorityState parse(byte[] text) throws IOException {
    JsonNode json = JSON.readTree(text);
    if (json.path("form").asInt() != FORM) {
      throw new IllegalArgumentException(
          "is of another form than " + FORM + ", the only one known");
    }
    List<AuthorityState.Root> roots = new ArrayList<>();
    for (JsonNode node : json.path("roots")) {
      roots.add(root(node));
    }
    if (roots.isEmpty() || roots.size() > 2) {
      throw new IllegalArgumentException("has " + roots.size() + " roots");
    }
    checkCross(roots.get(0), roots.get(roots.size() - 1));
    checkCross(roots.get(roots.size() - 1), roots.get(0));
    return new AuthorityState(
        json.path("bundle-version").asLong(),
        RotationPhase.valueOf(json.path("phase").asText()),
        roots.get(0),
        roots.stream().skip(1).findFirst());
  }

  /** Every certificate is checked as when it was made: what was changed by hand is not used. */
  private static AuthorityState.Root root(JsonNode node) {
    X509Certificate certificate = certificate(node.path("certificate"));
    ProfileCheck.root(certificate);
    List<Intermediate> intermediates = new ArrayList<>();
    for (JsonNode child : node.path("intermediates")) {
      Intermediate intermediate =
          new Intermediate(
              child.path("key").asText(),
              Intermediate.Kind.valueOf(child.path("kind").asText()),
              child.path("generation").asInt(),
              certificate(child.path("certificate")));
      ProfileCheck.intermediate(
          intermediate.certificate(),
          intermediate.kind(),
          intermediate.certificate().getPublicKey(),
          certificate);
      intermediates.add(intermediate);
    }
    return new AuthorityState.Root(
        node.path("key").asText(),
        node.path("generation").asInt(),
        certificate,
        Optional.ofNullable(node.get("cross")).map(AuthorityStateFile::certificate),
        intermediates);
  }

  private static void checkCross(AuthorityState.Root root, AuthorityState.Root other) {
    root.cross()
        .ifPresent(cross -> ProfileCheck.cross(cross, root.certificate(), other.certificate()));
  }

  private static X509Certificate certificate(JsonNode node) {
    return Pem.certificates(node.asText().getBytes(StandardCharsets.US_ASCII)).get(0);
  }
}
