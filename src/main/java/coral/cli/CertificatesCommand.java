package coral.cli;

import coral.api.colony.v1.Certificate;
import picocli.CommandLine.Command;

/** {@code coral certificates}. */
@Command(
    name = "certificates",
    description = "The certificates that a running colony has issued.",
    footer = {
      "Examples:",
      "  coral certificates list --agent web-1",
      "  coral certificates show 697307ca00872bd28e841f3ab185170e",
      "  coral certificates revoke 697307ca00872bd28e841f3ab185170e --reason 'key stolen'"
    },
    subcommands = {
      CertificatesListCommand.class,
      CertificatesShowCommand.class,
      CertificatesRevokeCommand.class
    })
final class CertificatesCommand extends CommandGroup {
  /** The fields that every answer about a certificate has. */
  static void put(Json json, Certificate certificate) {
    json.put("serialNumber", certificate.getSerialNumber())
        .put("agentId", certificate.getAgentId())
        .put("role", certificate.getRole())
        .put("status", certificate.getStatus())
        .put("issuedAt", Times.instant(certificate.getIssuedAt()))
        .put("expiresAt", Times.instant(certificate.getExpiresAt()))
        .put("revokedAt", Times.instant(certificate.getRevokedAt()))
        .put("revocationReason", Times.present(certificate.getRevocationReason()))
        .put("fingerprint", certificate.getFingerprint())
        .put("issuer", certificate.getIssuer());
  }
}
