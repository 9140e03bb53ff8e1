package coral.cli;

import coral.api.colony.v1.RotateSecretRequest;
import coral.api.colony.v1.RotateSecretResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code coral secret}. */
@Command(
    name = "secret",
    description = "The colony's secret, which hosts show to discovery for a registration token.",
    footer = {"Examples:", "  coral secret rotate", "  coral secret rotate --grace 0s"},
    subcommands = SecretCommand.Rotation.class)
final class SecretCommand extends CommandGroup {
  /** {@code coral secret rotate}. */
  @Command(
      name = "rotate",
      description = {
        "Give the colony a new secret, here and at discovery, and show it once.",
        "",
        "The former secret stays good for --grace, so that hosts which are being set up are not"
            + " turned away. Agents that have joined need neither. To a secret that has leaked give"
            + " --grace 0s."
      },
      footer = {
        "JSON: {secret, formerSecretExpiresAt}; the time is ISO 8601 in UTC.",
        "",
        "Examples:",
        "  coral secret rotate",
        "  (umask 077; coral secret rotate --grace 7d -o json | jq -r .secret > secret)"
      })
  static final class Rotation implements Callable<Integer> {
    /** Discovery hashes both secrets, slowly on purpose. */
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @Mixin private QueryOptions options = new QueryOptions();

    @Option(
        names = "--grace",
        paramLabel = "TIME",
        defaultValue = "24h",
        converter = Grace.class,
        description =
            "How long the former secret stays good: 0s to 30d, such as 1h, 24h (the default) or"
                + " 7d.")
    private Duration grace = Duration.ofHours(24);

    @Override
    public Integer call() {
      RotateSecretResponse rotated =
          options
              .connect(TIMEOUT)
              .ask(
                  Services.SECRET + "RotateSecret",
                  RotateSecretRequest.newBuilder().setGrace(DurationOption.message(grace)).build(),
                  RotateSecretResponse.parser());
      return options.answer(
          () -> json(rotated), () -> text(rotated, InstantSource.system().instant()));
    }
  }

  static final class Grace extends DurationOption {
    Grace() {
      super(Duration.ZERO, Duration.ofDays(30));
    }
  }

  static String json(RotateSecretResponse rotated) {
    return Json.object(
        json ->
            json.put("secret", rotated.getColonySecret())
                .put("formerSecretExpiresAt", Times.instant(rotated.getFormerSecretExpiresAt())));
  }

  static String text(RotateSecretResponse rotated, Instant now) {
    return """
    new secret     %s
                   (shown only now)
    former secret  good until %s
    Give the new one to hosts that are still to join; those that have joined need none.
    """
        .formatted(
            Table.printable(rotated.getColonySecret()),
            Times.moment(rotated.getFormerSecretExpiresAt(), now));
  }
}
