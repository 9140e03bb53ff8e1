package coral.cli;

import coral.api.colony.v1.Certificate;
import coral.api.colony.v1.ListCertificatesRequest;
import coral.api.colony.v1.ListCertificatesResponse;
import coral.model.AgentId;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code coral certificates list}. */
@Command(
    name = "list",
    description = "Every certificate that was issued and is kept, newest first.",
    footer = {
      "Status: current (in use), next (issued, not yet used), superseded, revoked, expired, or",
      "frozen (two holders of one key have shown up).",
      "",
      "JSON: {certificates: [{serialNumber, agentId, role, status, issuedAt, expiresAt, revokedAt,",
      "revocationReason, fingerprint, issuer}]}; times are ISO 8601 in UTC; what is not known is",
      "null.",
      "",
      "Examples:",
      "  coral certificates list",
      "  coral certificates list --agent web-1",
      "  coral certificates list -o json | jq '[.certificates[] | select(.status==\"frozen\")]'"
    })
final class CertificatesListCommand implements Callable<Integer> {
  /** Pages are followed to their end; a colony that never ends is broken. */
  private static final int MAX_PAGES = 1000;

  @Mixin private QueryOptions options = new QueryOptions();

  @Option(
      names = "--agent",
      paramLabel = "ID",
      converter = AgentIdConverter.class,
      description = "Only those of this id.")
  private @Nullable AgentId agent;

  @Override
  public Integer call() {
    List<Certificate> certificates = all(options.connect());
    return options.answer(
        () -> json(certificates),
        screen -> table(certificates, InstantSource.system().instant(), screen));
  }

  private List<Certificate> all(ColonyClient client) {
    List<Certificate> certificates = new ArrayList<>();
    ListCertificatesRequest.Builder request = ListCertificatesRequest.newBuilder();
    if (agent != null) {
      request.setAgentId(agent.value());
    }
    for (int i = 0; i < MAX_PAGES; i++) {
      ListCertificatesResponse page =
          client.ask(
              Services.CERTIFICATES + "ListCertificates",
              request.build(),
              ListCertificatesResponse.parser());
      certificates.addAll(page.getCertificatesList());
      if (page.getNextPageToken().isEmpty()) {
        return certificates;
      }
      request.setPageToken(page.getNextPageToken());
    }
    throw new CommandFailedException(
        "the colony answers more than " + MAX_PAGES + " pages of certificates",
        "Ask for those of one id: --agent ID.");
  }

  static String json(List<Certificate> certificates) {
    return Json.object(
        json -> json.putObjects("certificates", certificates, CertificatesCommand::put));
  }

  static String table(List<Certificate> certificates, Instant now, Screen screen) {
    if (certificates.isEmpty()) {
      return "No certificates.\n";
    }
    Table table =
        new Table("SERIAL NUMBER", "AGENT", "ROLE", "STATUS", "EXPIRES")
            .states("STATUS")
            .expendable("ROLE", "EXPIRES");
    for (Certificate certificate : certificates) {
      table.row(
          certificate.getSerialNumber(),
          certificate.getAgentId(),
          certificate.getRole(),
          certificate.getStatus(),
          Times.distance(certificate.getExpiresAt(), now));
    }
    return table.on(screen);
  }
}
