package coral.cli;

import coral.api.colony.v1.Certificate;
import coral.api.colony.v1.GetCertificateStatusRequest;
import coral.api.colony.v1.GetCertificateStatusResponse;
import coral.files.Pem;
import coral.model.Failure;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code coral certificates show}. */
@Command(
    name = "show",
    description = "One certificate: whose it is, and what has become of it.",
    footer = {
      "JSON: {serialNumber, agentId, role, status, issuedAt, expiresAt, revokedAt,",
      "revocationReason, fingerprint, issuer, pem}; times are ISO 8601 in UTC; what is not known",
      "is null.",
      "",
      "Examples:",
      "  coral certificates show 697307ca00872bd28e841f3ab185170e",
      "  coral certificates show 697307ca00872bd28e841f3ab185170e -o pem | openssl x509 -text"
    })
final class CertificatesShowCommand implements Callable<Integer> {
  /** How the certificate is written. */
  enum Format {
    TABLE,
    JSON,
    YAML,
    PEM;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Mixin private ColonyOptions options = new ColonyOptions();

  @Parameters(
      paramLabel = "SERIAL",
      converter = SerialNumber.class,
      description = "As 'coral certificates list' shows it, or as openssl prints it.")
  private String serial = "";

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}, a line for each field).")
  private Format format = Format.TABLE;

  @Override
  public Integer call() {
    GetCertificateStatusResponse found =
        options
            .connect()
            .ask(
                Services.CERTIFICATES + "GetCertificateStatus",
                GetCertificateStatusRequest.newBuilder().setSerialNumber(serial).build(),
                GetCertificateStatusResponse.parser(),
                Map.of(Failure.NOT_FOUND, "'coral certificates list' shows which there are."));
    PrintWriter out = options.out();
    out.print(
        switch (format) {
          case TABLE -> text(found.getCertificate(), InstantSource.system().instant());
          case JSON -> OutputFormat.JSON.document(json(found));
          case YAML -> OutputFormat.YAML.document(json(found));
          case PEM ->
              pem(found)
                  .orElseThrow(
                      () ->
                          new CommandFailedException(
                              "the colony does not keep the text of this certificate",
                              "Without -o pem the command shows what it keeps."));
        });
    out.flush();
    return CommandLine.DONE;
  }

  /** Read and written anew: nothing but certificates reaches the terminal. */
  private static Optional<String> pem(GetCertificateStatusResponse found) {
    if (found.getPem().isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(Pem.encode(Pem.certificates(found.getPem().toByteArray())));
    } catch (IllegalArgumentException e) {
      throw new CommandFailedException(
          "the colony's answer is no certificate: " + e.getMessage(), "", e);
    }
  }

  static String json(GetCertificateStatusResponse found) {
    return Json.object(
        json -> {
          CertificatesCommand.put(json, found.getCertificate());
          json.put("pem", pem(found));
        });
  }

  static String text(Certificate certificate, Instant now) {
    Fields fields =
        new Fields()
            .add("serial number", certificate.getSerialNumber())
            .add("agent", certificate.getAgentId())
            .add("role", certificate.getRole())
            .add("status", certificate.getStatus())
            .add("issued", Times.moment(certificate.getIssuedAt(), now))
            .add("expires", Times.moment(certificate.getExpiresAt(), now));
    if (certificate.hasRevokedAt()) {
      fields
          .add("revoked", Times.moment(certificate.getRevokedAt(), now))
          .add("because", certificate.getRevocationReason());
    }
    return fields
        .add("fingerprint", certificate.getFingerprint())
        .add("issuer", certificate.getIssuer())
        .toString();
  }
}
