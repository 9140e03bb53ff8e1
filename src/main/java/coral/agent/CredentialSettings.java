package coral.agent;

import coral.files.SecureFiles;
import coral.model.InvitationText;
import coral.model.Secret;
import coral.settings.SettingsException;
import coral.settings.SettingsReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * What the agent can buy a certificate with; at most one is given, and none is needed once the
 * agent has a certificate.
 *
 * @param inviter the folder with {@code cert.pem} and {@code key.pem} of an operator or
 *     administrator, by which a proxy invites itself
 * @param sendColonySecret the secret goes to the colony itself, as it did before there were tokens
 */
public record CredentialSettings(
    Optional<Secret> colonySecret,
    Optional<InvitationText> invitation,
    Optional<Path> inviter,
    boolean sendColonySecret) {

  /** A secret is one line of a file; anything larger is the wrong file. */
  private static final int MAX_FILE_BYTES = InvitationText.MAX_LENGTH + 16;

  /** The roles of those who may register and have a tunnel. */
  static final Set<String> MEMBERS = Set.of("agent", "proxy");

  boolean canPay() {
    return colonySecret.isPresent() || invitation.isPresent() || inviter.isPresent();
  }

  /** Whether the payment is a registration token, to be fetched with the colony's secret. */
  boolean payWithToken() {
    return colonySecret.isPresent() && !sendColonySecret;
  }

  static CredentialSettings from(SettingsReader reader) {
    Optional<Secret> secret = secret(reader, "colony-secret");
    Optional<InvitationText> invitation =
        secret(reader, "invitation").map(CredentialSettings::invitation);
    if (secret.isPresent() && invitation.isPresent()) {
      throw new SettingsException(
          "coral.agent.invitation and coral.agent.colony-secret are both given: one of them buys"
              + " the certificate");
    }
    Optional<Path> inviter = reader.optionalPath("inviter");
    return new CredentialSettings(
        secret,
        invitation,
        secret.isPresent() || invitation.isPresent() ? Optional.empty() : inviter,
        reader.flag("legacy.send-colony-secret"));
  }

  private static InvitationText invitation(Secret text) {
    try {
      InvitationText invitation = InvitationText.parse(text.reveal().strip());
      if (!MEMBERS.contains(invitation.role())) {
        // It would be spent for a certificate that opens no tunnel.
        throw new SettingsException(
            "coral.agent.invitation: it is for the role '"
                + invitation.role()
                + "', which has no tunnel; a host joins as agent or proxy");
      }
      return invitation;
    } catch (IllegalArgumentException e) {
      throw new SettingsException("coral.agent.invitation: " + e.getMessage(), e);
    }
  }

  /** A secret that is given itself, or in a file that only its owner can read. */
  private static Optional<Secret> secret(SettingsReader reader, String key) {
    Optional<Secret> given = reader.optionalSecret(key);
    Optional<Path> file = reader.optionalPath(key + "-file");
    if (given.isPresent() && file.isPresent()) {
      throw reader.invalid(key + "-file", "nothing, because " + key + " is set too");
    }
    return given.or(() -> file.map(path -> read(key, path)));
  }

  private static Secret read(String key, Path file) {
    String setting = "coral.agent." + key + "-file = " + file + ": ";
    try {
      String text =
          new String(SecureFiles.readPrivate(file, MAX_FILE_BYTES), StandardCharsets.UTF_8).strip();
      if (text.isEmpty()) {
        throw new SettingsException(setting + "the file is empty");
      }
      return new Secret(text);
    } catch (NoSuchFileException e) {
      throw new SettingsException(setting + "there is no such file", e);
    } catch (IOException e) {
      throw new SettingsException(setting + "cannot be read: " + e.getMessage(), e);
    }
  }
}
