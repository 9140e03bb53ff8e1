package coral.cli;

import coral.model.AgentId;
import coral.model.InvitationText;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How a proxy finds its colony, what it pays with, and whom it lets in. */
final class ProxyOptions {
  @Mixin private EnrolmentOptions enrolment = new EnrolmentOptions();

  @Option(
      names = "--invitation",
      paramLabel = "INVITATION",
      description = "The line that 'coral invite --role proxy' printed.")
  private @Nullable String invitation;

  @Option(
      names = "--name",
      paramLabel = "ID",
      converter = AgentIdConverter.class,
      description = "The proxy's id in the colony for ever (default: proxy-USER-HOST).")
  private @Nullable AgentId name;

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

  @Option(
      names = "--client-certs",
      description =
          "Let callers on other hosts show certificates of the colony; they may do what both they"
              + " and the proxy may.")
  private boolean clientCertificates;

  private @Nullable String readInvitation;

  /**
   * The invitation that was given, if it is not in a file of its own.
   *
   * @throws CommandFailedException if there is none where there should be one
   */
  Optional<String> invitation(InputStream in) {
    if (enrolment.isInvitationInput() && readInvitation == null) {
      readInvitation = ConnectCommand.firstLine(in);
    }
    return Optional.ofNullable(readInvitation == null ? invitation : readInvitation);
  }

  /** Whether callers on other hosts can be told from strangers. */
  boolean letsOthersIn() {
    return tlsCertificate != null && tlsKey != null && (tokenFile != null || clientCertificates);
  }

  /** Whether a certificate can be bought with what was given. */
  boolean canPay() {
    return invitation != null || enrolment.canPay();
  }

  /** Gives the same options to another process. The invitation's text is not among them. */
  void repeat(List<String> arguments) {
    enrolment.repeat(arguments);
    EnrolmentOptions.option(arguments, "--tls-cert", tlsCertificate);
    EnrolmentOptions.option(arguments, "--tls-key", tlsKey);
    EnrolmentOptions.option(arguments, "--token-file", tokenFile);
    if (clientCertificates) {
      arguments.add("--client-certs");
    }
    EnrolmentOptions.option(arguments, "--name", name);
    allowedOrigins.forEach(origin -> EnrolmentOptions.option(arguments, "--allow-origin", origin));
  }

  /**
   * Decides the settings that these options are about, and those that the colony's folder knows.
   *
   * @param invited {@link #invitation}
   */
  void decide(Foreground settings, Optional<String> invited, ProxyContext context) {
    enrolment.decide(settings, invited);
    settings
        .set("coral.agent.proxy.remote.certificate-file", tlsCertificate)
        .set("coral.agent.proxy.remote.key-file", tlsKey)
        .set("coral.agent.proxy.remote.token-file", tokenFile)
        // Not that of an agent on this host, which may be in the environment.
        .set("coral.agent.id", name == null ? "" : name.value())
        .set("coral.agent.inviter", context.inviter().orElse(null));
    if (clientCertificates) {
      settings.set("coral.agent.proxy.remote.client-certificates", true);
    }
    if (!allowedOrigins.isEmpty()) {
      settings.set("coral.agent.proxy.allowed-origins", allowedOrigins);
    }
    // An invitation says itself where the colony is.
    if (invited.isEmpty() && enrolment.invitationFile().isEmpty()) {
      decide(settings, context);
    }
  }

  /** What the colony's folder knows, where no option says it. */
  private void decide(Foreground settings, ProxyContext context) {
    if (!enrolment.namesAuthority()) {
      settings.set(
          "coral.agent.ca-fingerprint", context.authority().map(Object::toString).orElse(null));
    }
    if (enrolment.namesDiscovery()) {
      return;
    }
    settings.set(
        "coral.agent.discovery.url",
        context.discovery().map(InvitationText.Discovery::url).orElse(null));
    if (!enrolment.namesEndpoint()) {
      settings.set(
          "coral.agent.colony-endpoint", context.endpoint().map(Object::toString).orElse(null));
    }
    if (!enrolment.namesDiscoveryFingerprint()) {
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
