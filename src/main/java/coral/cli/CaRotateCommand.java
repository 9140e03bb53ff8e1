package coral.cli;

import coral.api.colony.v1.GetAuthorityStatusResponse;
import coral.api.colony.v1.RotateAuthorityRequest;
import coral.api.colony.v1.RotateAuthorityResponse;
import coral.model.Failure;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code coral ca rotate}. */
@Command(
    name = "rotate",
    description = {
      "Replace the colony's root, one step at a time.",
      "",
      "Each call goes one step: prepared (the next root is in the trust bundle), distributed (every"
          + " agent trusts it), active (it signs), draining (agents renew what comes from the"
          + " former root), retired (the former root is no longer trusted). Nothing is lost between"
          + " steps, however long they take, and each can be taken back. Agents follow over their"
          + " sessions, without being told their colony's fingerprint anew."
    },
    footer = {
      "JSON: as of 'coral ca status'; with --watch each change is a line.",
      "",
      "Examples:",
      "  coral ca rotate --watch        one step, and the fleet following it",
      "  coral ca rotate --back         undo the last step",
      "  coral ca status                where it stands and what comes next"
    })
final class CaRotateCommand implements Callable<Integer> {
  /** A root of RSA-4096 takes seconds to make. */
  private static final Duration TIMEOUT = Duration.ofMinutes(1);

  @Spec private @Nullable CommandSpec spec;
  @Mixin private QueryOptions options = new QueryOptions();

  @Option(
      names = {"-w", "--watch"},
      description =
          "Show the fleet following until nobody is missing; Ctrl-C ends the watching only.")
  private boolean watch;

  @Option(names = "--back", description = "One step back.")
  private boolean back;

  @Option(
      names = "--force",
      description = "Go on although agents are missing: they must be invited again.")
  private boolean force;

  @Override
  public Integer call() {
    if (back && force) {
      throw new ParameterException(
          CoralCommand.given(spec).commandLine(), "--force only goes forward: leave out --back");
    }
    ColonyClient client = options.connect(TIMEOUT);
    GetAuthorityStatusResponse status =
        client
            .ask(
                Services.CERTIFICATES + "RotateAuthority",
                RotateAuthorityRequest.newBuilder()
                    .setStep(
                        back
                            ? RotateAuthorityRequest.Step.BACK
                            : RotateAuthorityRequest.Step.FORWARD)
                    .setForce(force)
                    .build(),
                RotateAuthorityResponse.parser(),
                Map.of(
                    Failure.FAILED_PRECONDITION,
                    "'coral ca status --watch' shows who is missing; --force goes on without them,"
                        + " and --back undoes a step."))
            .getStatus();
    if (watch) {
      return FleetWatch.of(options).until(status, () -> CaStatusCommand.ask(client));
    }
    return options.answer(() -> CaStatusCommand.json(status), () -> text(status));
  }

  static String text(GetAuthorityStatusResponse status) {
    Rotation rotation = Rotation.of(status);
    return rotation.picture() + rotation.next() + "\n";
  }
}
