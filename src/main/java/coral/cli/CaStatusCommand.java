package coral.cli;

import coral.api.colony.v1.Authority;
import coral.api.colony.v1.GetAuthorityStatusRequest;
import coral.api.colony.v1.GetAuthorityStatusResponse;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code coral ca status}. */
@Command(
    name = "status",
    description = "The authorities of a colony, and how far a rotation of its root has come.",
    footer = {
      "A root is offline if its key is not on the colony's host; then the colony issues from the",
      "intermediates that it has.",
      "",
      "JSON: {rotation, trustBundleVersion, agents, agentsWithBundle, agentsOnActiveRoot,",
      "crlNumber, revokedCertificates, authorities: [{kind, state, subject, fingerprint,"
          + " expiresAt,",
      "keyOnline}]}; rotation is stable, prepared, distributed, active, draining or retired; kind",
      "is root, server or agent; times are ISO 8601 in UTC. With --watch each change is a line.",
      "",
      "Examples:",
      "  coral ca status",
      "  coral ca status --watch                               a rotation, until it waits for you",
      "  coral ca status -o json | jq '.agents - .agentsWithBundle'"
    })
final class CaStatusCommand implements Callable<Integer> {
  /** Enough to be compared at a glance; JSON has all of it. */
  private static final int SHORT_FINGERPRINT = "sha256:".length() + 16;

  @Mixin private QueryOptions options = new QueryOptions();

  @Option(
      names = {"-w", "--watch"},
      description = "Go on until no agent is missing that the rotation waits for.")
  private boolean watch;

  @Override
  public Integer call() {
    ColonyClient client = options.connect();
    GetAuthorityStatusResponse status = ask(client);
    if (watch) {
      return FleetWatch.of(options).until(status, () -> ask(client));
    }
    return options.answer(() -> json(status), screen -> text(status, screen));
  }

  static GetAuthorityStatusResponse ask(ColonyClient client) {
    return client.ask(
        Services.CERTIFICATES + "GetAuthorityStatus",
        GetAuthorityStatusRequest.getDefaultInstance(),
        GetAuthorityStatusResponse.parser());
  }

  static String json(GetAuthorityStatusResponse status) {
    return Json.object(
        json ->
            json.put("rotation", status.getRotation())
                .put("trustBundleVersion", status.getTrustBundleVersion())
                .put("agents", status.getAgents())
                .put("agentsWithBundle", status.getAgentsWithBundle())
                .put("agentsOnActiveRoot", status.getAgentsOnActiveRoot())
                .put("crlNumber", status.getCrlNumber())
                .put("revokedCertificates", status.getRevokedCertificates())
                .putObjects("authorities", status.getAuthoritiesList(), CaStatusCommand::put));
  }

  private static void put(Json json, Authority authority) {
    json.put("kind", authority.getKind())
        .put("state", authority.getState())
        .put("subject", authority.getSubject())
        .put("fingerprint", authority.getFingerprint())
        .put("expiresAt", Times.instant(authority.getExpiresAt()))
        .put("keyOnline", authority.getKeyOnline());
  }

  static String text(GetAuthorityStatusResponse status, Screen screen) {
    Table table =
        new Table("KIND", "STATE", "KEY", "EXPIRES", "FINGERPRINT", "SUBJECT")
            .states("STATE")
            .expendable("SUBJECT", "FINGERPRINT");
    for (Authority authority : status.getAuthoritiesList()) {
      table.row(
          authority.getKind(),
          authority.getState(),
          authority.getKeyOnline() ? "online" : "offline",
          Times.day(authority.getExpiresAt()),
          shortened(authority.getFingerprint()),
          authority.getSubject());
    }
    Rotation rotation = Rotation.of(status);
    return table.on(screen)
        + "\n"
        + rotation.picture()
        + "\n"
        + new Fields()
            .add(
                "active root",
                status.getAgentsOnActiveRoot()
                    + " of "
                    + status.getAgents()
                    + " agents have a certificate of it")
            .add(
                "revoked",
                status.getRevokedCertificates() + " (list number " + status.getCrlNumber() + ")")
        + rotation.next()
        + "\n";
  }

  private static String shortened(String fingerprint) {
    return fingerprint.length() > SHORT_FINGERPRINT
        ? fingerprint.substring(0, SHORT_FINGERPRINT) + "..."
        : fingerprint;
  }
}
