package coral.cli;

import coral.api.colony.v1.RevokeCertificateRequest;
import coral.api.colony.v1.RevokeCertificateResponse;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
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
final class CertificatesRevokeCommand implements Callable<Integer> {
  @Mixin private QueryOptions options = new QueryOptions();

  @Parameters(
      paramLabel = "SERIAL",
      converter = SerialNumber.class,
      description = "As 'coral certificates list' shows it, or as openssl prints it.")
  private String serial = "";

  @Option(
      names = "--reason",
      paramLabel = "TEXT",
      required = true,
      converter = Reason.class,
      description = "Why, for the audit: up to 255 characters.")
  private String reason = "";

  @Override
  public Integer call() {
    RevokeCertificateResponse revoked =
        options
            .connect()
            .ask(
                Services.COLONY + "RevokeCertificate",
                RevokeCertificateRequest.newBuilder()
                    .setSerialNumber(serial)
                    .setReason(reason)
                    .build(),
                RevokeCertificateResponse.parser());
    if (!revoked.getSuccess()) {
      throw new CommandFailedException(
          serial + " was not revoked: " + Table.printable(revoked.getMessage()),
          "'coral audit' shows what was asked.");
    }
    return options.answer(() -> json(serial, reason, revoked), () -> text(revoked));
  }

  static String json(String serial, String reason, RevokeCertificateResponse revoked) {
    return Json.object(
        json ->
            json.put("serialNumber", serial)
                .put("reason", reason)
                .put("message", revoked.getMessage())
                .putStrings("serialNumbers", revoked.getSerialNumbersList()));
  }

  static String text(RevokeCertificateResponse revoked) {
    StringBuilder text = new StringBuilder();
    text.append(Table.printable(revoked.getMessage())).append(". Ended:\n");
    for (String each : revoked.getSerialNumbersList()) {
      text.append("  certificate  ").append(Table.printable(each)).append('\n');
    }
    if (revoked.getSerialNumbersCount() == 0) {
      text.append("  certificate  none was good\n");
    }
    return text.append("  connections  closed, and refused from now on\n").toString();
  }
}
