package coral.cli;

import coral.api.colony.v1.RevokeCertificateRequest;
import coral.api.colony.v1.RevokeCertificateResponse;
import coral.model.Failure;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A command that has the colony revoke something, and tells what has ended. */
abstract class Revoking implements Callable<Integer> {
  @Mixin private QueryOptions options = new QueryOptions();

  @Option(
      names = "--reason",
      paramLabel = "TEXT",
      required = true,
      converter = Reason.class,
      description = "Why, for the audit: up to 255 characters.")
  private String reason = "";

  /**
   * What is revoked.
   *
   * @param field of it in JSON
   * @param name as the user wrote it
   * @param request names it to the colony
   * @param unknown what to do if the colony does not know it
   * @param refused what to do if the colony says no
   */
  record Subject(
      String field,
      String name,
      RevokeCertificateRequest.Builder request,
      String unknown,
      String refused) {}

  abstract Subject subject();

  /** For people, with a line feed at its end. */
  abstract String text(RevokeCertificateResponse revoked);

  @Override
  public Integer call() {
    Subject subject = subject();
    RevokeCertificateResponse revoked =
        options
            .connect()
            .ask(
                Services.COLONY + "RevokeCertificate",
                subject.request().setReason(reason).build(),
                RevokeCertificateResponse.parser(),
                Map.of(Failure.NOT_FOUND, subject.unknown()));
    if (!revoked.getSuccess()) {
      throw new CommandFailedException(
          subject.name() + " was not revoked: " + Table.printable(revoked.getMessage()),
          subject.refused());
    }
    return options.answer(() -> json(subject, revoked), () -> text(revoked));
  }

  private String json(Subject subject, RevokeCertificateResponse revoked) {
    return Json.object(
        json ->
            json.put(subject.field(), subject.name())
                .put("reason", reason)
                .put("message", revoked.getMessage())
                .putStrings("serialNumbers", revoked.getSerialNumbersList()));
  }

  /** The certificates that are refused from now on, a line each. */
  static String certificates(RevokeCertificateResponse revoked) {
    StringBuilder text = new StringBuilder();
    for (String serial : revoked.getSerialNumbersList()) {
      text.append("  certificate  ").append(Table.printable(serial)).append('\n');
    }
    if (revoked.getSerialNumbersCount() == 0) {
      text.append("  certificate  none was good\n");
    }
    return text.toString();
  }
}
