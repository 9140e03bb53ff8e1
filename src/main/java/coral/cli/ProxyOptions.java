package coral.cli;

import coral.model.AgentId;
import coral.model.InvitationText;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a proxy finds its colony, what it pays with, and whom it lets in. */
final class ProxyOptions {
  @Option(
      names = "--invitation-file",
      paramLabel = "FILE",
      description = "File with an invitation, '-' for standard input.")
  private @Nullable Path invitationFile;

  @Option(
      names = "--invitation",
      paramLabel = "INVITATION",
      description = "The line that 'coral invite --role proxy' printed.")
  private @Nullable String invitation;

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
      description = "Where the colony is looked up (default: as its folder says, or as last).")
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
      names = "--name",
      paramLabel = "ID",
      converter = AgentIdConverter.class,
      description = "The proxy's id in the colony for ever (default: proxy-USER-HOST).")
  private @Nullable AgentId name;

  @Option(
      names = "--device",
      paramLabel = "MODE",
      description = "Where the tunnel ends: auto (the default), tun or user-space.")
  private @Nullable String device;

  @Option(
      names = "--allow-origin",
      paramLabel = "ORIGIN",
      description = "A web page that may call, such as https://console.example.com; repeatable.")
  private List<String> allowedOrigins = new ArrayList<>();

  @Option(
      names = "--tls-cert",
      paramLabel = "FILE",
      description = "PEM: the certificate that callers on other hosts see, with its chain.")
  private @Nullable Path tlsCertificate;

  @Option(names = "--tls-key", paramLabel = "FILE", description = "PEM: its private key.")
  private @Nullable Path tlsKey;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description = "File with the bearer token of callers on other hosts; they may read.")
  private @Nullable Path tokenFile;

  private @Nullable String readInvitation;

  /**
   * The invitation that was given, if it is not in a file of its own.
   *
   * @throws CommandFailedException if there is none where there should be one
   */
  Optional<String> invitation(InputStream in) {
    if (isInput() && readInvitation == null) {
      readInvitation = ConnectCommand.firstLine(in);
    }
    return Optional.ofNullable(readInvitation == null ? invitation : readInvitation);
  }

  /** Whether a certificate can be bought with what was given. */
  boolean canPay() {
    return invitation != null || invitationFile != null || colonySecretFile != null;
  }

  private boolean isInput() {
    return invitationFile != null && invitationFile.toString().equals("-");
  }

  /** Gives the same options to another process. The invitation's text is not among them. */
  void repeat(List<String> arguments) {
    if (invitationFile != null && !isInput()) {
      option(arguments, "--invitation-file", invitationFile.toAbsolutePath());
    }
    path(arguments, "--colony-secret-file", colonySecretFile);
    path(arguments, "--tls-cert", tlsCertificate);
    path(arguments, "--tls-key", tlsKey);
    path(arguments, "--token-file", tokenFile);
    text(arguments, "--ca-fingerprint", caFingerprint);
    text(arguments, "--discovery", discovery);
    text(arguments, "--discovery-fingerprint", discoveryFingerprint);
    text(arguments, "--colony-endpoint", colonyEndpoint);
    text(arguments, "--name", name == null ? null : name.value());
    text(arguments, "--device", device);
    allowedOrigins.forEach(origin -> option(arguments, "--allow-origin", origin));
  }

  private static void text(List<String> arguments, String option, @Nullable String value) {
    if (value != null) {
      option(arguments, option, value);
    }
  }

  private static void path(List<String> arguments, String option, @Nullable Path value) {
    if (value != null) {
      option(arguments, option, value.toAbsolutePath());
    }
  }

  private static void option(List<String> arguments, String option, Object value) {
    arguments.add(option);
    arguments.add(value.toString());
  }

  /**
   * Decides the settings that these options are about, and those that the colony's folder knows.
   *
   * @param invited {@link #invitation}
   */
  void decide(Foreground settings, Optional<String> invited, ProxyContext context) {
    settings
        .set("coral.agent.proxy.remote.certificate-file", tlsCertificate)
        .set("coral.agent.proxy.remote.key-file", tlsKey)
        .set("coral.agent.proxy.remote.token-file", tokenFile)
        // Not that of an agent on this host, which may be in the environment.
        .set("coral.agent.id", name == null ? "" : name.value())
        .set("coral.agent.invitation", invited.orElse(null))
        .set("coral.agent.invitation-file", invited.isPresent() ? null : invitationFile)
        .set("coral.agent.colony-secret-file", colonySecretFile)
        .set("coral.agent.device.mode", device)
        .set("coral.agent.inviter", context.inviter().orElse(null))
        .set("coral.agent.ca-fingerprint", caFingerprint)
        .set("coral.agent.colony-endpoint", colonyEndpoint)
        .set("coral.agent.discovery.url", discovery)
        .set("coral.agent.discovery.fingerprint", discoveryFingerprint);
    if (!allowedOrigins.isEmpty()) {
      settings.set("coral.agent.proxy.allowed-origins", allowedOrigins);
    }
    if (invited.isPresent() || invitationFile != null) {
      return; // an invitation says itself where the colony is
    }
    if (caFingerprint == null) {
      settings.set(
          "coral.agent.ca-fingerprint", context.authority().map(Object::toString).orElse(null));
    }
    if (discovery == null) {
      settings.set(
          "coral.agent.discovery.url",
          context.discovery().map(InvitationText.Discovery::url).orElse(null));
      if (colonyEndpoint == null) {
        settings.set(
            "coral.agent.colony-endpoint", context.endpoint().map(Object::toString).orElse(null));
      }
      if (discoveryFingerprint == null) {
        settings.set(
            "coral.agent.discovery.fingerprint",
            context
                .discovery()
                .flatMap(InvitationText.Discovery::fingerprint)
                .map(Object::toString)
                .orElse(null));
      }
    }
  }
}
