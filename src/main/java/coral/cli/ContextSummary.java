package coral.cli;

import coral.files.Pem;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.InvitationText;
import coral.rpc.CallerIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What is known here of a colony, without asking it.
 *
 * @param own whether it lives in this folder itself
 * @param asker whom commands ask as; empty if that needs a proxy
 * @param problem what is wrong with the folder; empty if nothing is
 */
record ContextSummary(
    ColonyId id,
    boolean current,
    Path folder,
    boolean own,
    Optional<Asker> asker,
    List<Endpoint> endpoints,
    Optional<InvitationText.Discovery> discovery,
    Optional<String> problem) {
  /** The holder of a certificate. */
  record Asker(String role, String name, Instant expiresAt) {}

  ContextSummary {
    endpoints = List.copyOf(endpoints);
  }

  static ContextSummary of(
      CoralHome home, ColonyId id, boolean current, Map<String, String> environment) {
    Path folder = home.colony(id);
    Optional<Asker> asker = Optional.empty();
    try {
      asker = asker(folder);
      ColonyContext context = ColonyContext.load(home, id, environment);
      return new ContextSummary(
          id,
          current,
          folder,
          context.own().isPresent(),
          asker,
          context.own().isPresent() ? List.of(context.own().get()) : context.endpoints(),
          context.discovery(),
          Optional.empty());
    } catch (CommandFailedException | IOException e) {
      return new ContextSummary(
          id,
          current,
          folder,
          !Files.exists(folder.resolve(ContextRecord.FILE)),
          asker,
          List.of(),
          Optional.empty(),
          Optional.of(String.valueOf(e.getMessage())));
    }
  }

  private static Optional<Asker> asker(Path folder) throws IOException {
    Path file = AskerIdentity.certificate(folder);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    X509Certificate certificate = Pem.readCertificates(file).get(0);
    for (String uri : CallerIdentity.uris(certificate)) {
      // spiffe://<colony-id>/<role>/<id>
      String[] parts = uri.split("/", -1);
      if (parts.length == 5) {
        return Optional.of(new Asker(parts[3], parts[4], certificate.getNotAfter().toInstant()));
      }
    }
    throw new IOException(file + " is not the certificate of a member of a colony");
  }

  Json put(Json json) {
    return json.put("colonyId", id.value())
        .put("current", current)
        .put("directory", folder.toString())
        .put("here", own)
        .put("role", asker.map(Asker::role))
        .put("name", asker.map(Asker::name))
        .put("certificateExpiresAt", asker.map(Asker::expiresAt))
        .putStrings("endpoints", endpoints.stream().map(Endpoint::toString).toList())
        .put("discoveryUrl", discovery.map(InvitationText.Discovery::url))
        .put("discoveryFingerprint", discovery.flatMap(InvitationText.Discovery::fingerprint))
        .put("problem", problem);
  }
}
