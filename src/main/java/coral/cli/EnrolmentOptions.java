package coral.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a host that is to join finds its colony, and what it pays its certificate with. */
final class EnrolmentOptions {
  @Option(
      names = "--invitation-file",
      paramLabel = "FILE",
      description = "File with an invitation, '-' for standard input.")
  private @Nullable Path invitationFile;

  @Option(
      names = "--colony-secret-file",
      paramLabel = "FILE",
      description = "File with the colony's secret, which is shown to discovery alone.")
  private @Nullable Path colonySecretFile;

  @Option(
      names = "--ca-fingerprint",
      paramLabel = "sha256:HEX",
      description = "SHA-256 of the certificate of the colony's authority.")
  private @Nullable String caFingerprint;

  @Option(
      names = "--discovery",
      paramLabel = "URL",
      description =
          "Where the colony is looked up (default: as its folder says, as last, or"
              + " https://localhost:8080).")
  private @Nullable String discovery;

  @Option(
      names = "--discovery-fingerprint",
      paramLabel = "sha256:HEX",
      description = "Accept this certificate of discovery only; needed to send it the secret.")
  private @Nullable String discoveryFingerprint;

  @Option(
      names = "--colony-endpoint",
      paramLabel = "HOST:PORT",
      description = "Where the colony answers; then discovery is not asked.")
  private @Nullable String colonyEndpoint;

  @Option(
      names = "--device",
      paramLabel = "MODE",
      description = "Where the tunnel ends: auto (the default), tun or user-space.")
  private @Nullable String device;

  /** The file of {@code --invitation-file}, unless it is standard input. */
  Optional<Path> invitationFile() {
    return isInvitationInput() ? Optional.empty() : Optional.ofNullable(invitationFile);
  }

  /** Whether the invitation is on standard input. */
  boolean isInvitationInput() {
    return "-".equals(Objects.toString(invitationFile, null));
  }

  /** Whether a certificate can be bought with what was given. */
  boolean canPay() {
    return invitationFile != null || colonySecretFile != null;
  }

  boolean namesAuthority() {
    return caFingerprint != null;
  }

  boolean namesEndpoint() {
    return colonyEndpoint != null;
  }

  boolean namesDiscovery() {
    return discovery != null;
  }

  boolean namesDiscoveryFingerprint() {
    return discoveryFingerprint != null;
  }

  /**
   * Decides the settings that these options are about.
   *
   * @param invited the invitation itself, if one was given
   */
  void decide(Foreground settings, Optional<String> invited) {
    settings
        .set("coral.agent.invitation", invited.orElse(null))
        .set(
            "coral.agent.invitation-file",
            invited.isPresent() ? null : invitationFile().orElse(null))
        .set("coral.agent.colony-secret-file", colonySecretFile)
        .set("coral.agent.ca-fingerprint", caFingerprint)
        .set("coral.agent.discovery.url", discovery)
        .set("coral.agent.discovery.fingerprint", discoveryFingerprint)
        .set("coral.agent.colony-endpoint", colonyEndpoint)
        .set("coral.agent.device.mode", device);
  }

  /**
   * Gives the same options to another process; an invitation on standard input is not among them.
   */
  void repeat(List<String> arguments) {
    invitationFile().ifPresent(file -> option(arguments, "--invitation-file", file));
    option(arguments, "--colony-secret-file", colonySecretFile);
    option(arguments, "--ca-fingerprint", caFingerprint);
    option(arguments, "--discovery", discovery);
    option(arguments, "--discovery-fingerprint", discoveryFingerprint);
    option(arguments, "--colony-endpoint", colonyEndpoint);
    option(arguments, "--device", device);
  }

  /** An option that was given, as another process understands it. */
  static void option(List<String> arguments, String name, @Nullable Object value) {
    if (value != null) {
      arguments.add(name);
      arguments.add((value instanceof Path file ? file.toAbsolutePath() : value).toString());
    }
  }
}
