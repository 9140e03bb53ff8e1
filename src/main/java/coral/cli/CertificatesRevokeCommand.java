package coral.cli;

import coral.api.colony.v1.RevokeCertificateRequest;
import coral.api.colony.v1.RevokeCertificateResponse;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code coral certificates revoke}. */
@Command(
    name = "revoke",
    description = {
      "End one certificate by its number, at once and for good.",
      "",
      "For an administrator's whose key was stolen: run 'coral admin renew' on the colony's host"
          + " first, which keeps you in, then revoke the former number; 'openssl x509 -serial'"
          + " prints it from a copy of the former cert.pem. Calls and connections of whoever uses"
          + " it end too. What it has done stays: look at 'coral audit' and 'coral invites list'.",
      "",
      "A number that 'coral certificates list' shows ends the identity of that certificate, as"
          + " 'coral revoke-agent' does. Only administrators may ask."
    },
    footer = {
      "JSON: {serialNumber, reason, message, serialNumbers[]}; serialNumbers are the certificates",
      "that are refused from now on.",
      "",
      "Examples:",
      "  coral certificates revoke 697307ca00872bd28e841f3ab185170e --reason 'key stolen'"
    })
final class CertificatesRevokeCommand extends Revoking {
  @Parameters(
      paramLabel = "SERIAL",
      converter = SerialNumber.class,
      description = "As 'coral certificates list' shows it, or as openssl prints it.")
  private String serial = "";

  @Override
  Subject subject() {
    return new Subject(
        "serialNumber",
        serial,
        RevokeCertificateRequest.newBuilder().setSerialNumber(serial),
        "'coral certificates list' shows the numbers of members' certificates.",
        "'coral audit' shows what was asked.");
  }

  @Override
  String text(RevokeCertificateResponse revoked) {
    return Table.printable(revoked.getMessage())
        + ". Ended:\n"
        + certificates(revoked)
        + "  connections  closed, and refused from now on\n";
  }
}
