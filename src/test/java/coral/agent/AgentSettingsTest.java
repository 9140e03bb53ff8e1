package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.files.SecureFiles;
import coral.model.AgentId;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import coral.model.InvitationText;
import coral.model.Secret;
import coral.settings.SettingsException;
import coral.wireguard.embedded.DeviceMode;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AgentSettingsTest {
  static final AgentId AGENT = new AgentId("web-1");

  private static final InvitationText INVITATION =
      new InvitationText(
          FakeColony.COLONY,
          Fingerprint.of(new byte[] {1}),
          List.of(new Endpoint("colony.example", 9000)),
          Optional.of(
              new InvitationText.Discovery(
                  "https://discovery.example:8080", Optional.of(Fingerprint.of(new byte[] {2})))),
          "agent",
          Optional.of(AGENT),
          new Secret("coral-inv_secret"));

  /** agent.conf with the two values that every agent is given. */
  static Config defaults() {
    return ConfigFactory.parseString("coral.agent { id = web-1, colony-id = shop-test-a3f2e1 }")
        .withFallback(ConfigFactory.parseResources("agent.conf"))
        .resolve();
  }

  @Test
  void theDefaultsAreComplete() {
    AgentSettings settings = AgentSettings.from(defaults());
    assertEquals(AGENT, settings.agentId());
    assertEquals(DeviceMode.AUTO, settings.device().mode());
    assertEquals("coral0", settings.device().interfaceName());
    assertEquals(30, settings.probeInterval().toSeconds());
    assertFalse(settings.once());
    assertEquals(ReportFormat.NONE, settings.report());
    assertEquals(Optional.empty(), settings.credentials().colonySecret());
  }

  @Test
  void aWrongValueNamesItsKeyTheValueAndWhatWasExpected() {
    String message = messageFor("device.mode = tap");
    assertTrue(message.contains("coral.agent.device.mode"), message);
    assertTrue(message.contains("tap"), message);
    assertTrue(message.contains("user-space"), message);
    assertTrue(messageFor("id = Web_1").contains("Web_1"));
    assertTrue(messageFor("discovery.url = \"ftp://x\"").contains("https://host:port"));
    assertTrue(messageFor("device.mtu = 1000").contains("1280"));
  }

  @Test
  void aSecretComesFromItsFileAndIsNeverShown(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("secret");
    SecureFiles.write(file, "a-secret\n".getBytes(StandardCharsets.UTF_8));
    AgentSettings settings = from("colony-secret-file = \"" + file + "\"");
    assertEquals(Optional.of(new Secret("a-secret")), settings.credentials().colonySecret());
    assertFalse(settings.toString().contains("a-secret"));
  }

  @Test
  void aSecretFileThatIsMissingOrEmptyIsNamed(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("secret");
    assertTrue(
        messageFor("colony-secret-file = \"" + file + "\"")
            .contains(file + ": there is no such file"));
    Files.writeString(file, "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    assertTrue(messageFor("colony-secret-file = \"" + file + "\"").contains("chmod 600 " + file));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    assertTrue(messageFor("colony-secret-file = \"" + file + "\"").contains("empty"));
  }

  @Test
  void anIdIsMadeOfTheHostsName() {
    assertEquals(
        Optional.of(new AgentId("web-1.example.org")), AgentSettings.idOf("Web-1.example.org"));
    assertEquals(Optional.of(new AgentId("my-host")), AgentSettings.idOf("--My Host"));
    assertEquals(Optional.of(new AgentId("a".repeat(63))), AgentSettings.idOf("a".repeat(80)));
    assertEquals(Optional.empty(), AgentSettings.idOf("---"));
  }

  @Test
  void anInvitationSaysItAllAndIsNeverShown() {
    AgentSettings settings = from("colony-id = \"\", invitation = \"" + INVITATION.encode() + "\"");
    assertEquals(FakeColony.COLONY, settings.colonyId());
    assertEquals(Optional.of(INVITATION.caFingerprint()), settings.caFingerprint());
    assertEquals(Optional.of(URI.create("https://discovery.example:8080")), settings.discovery());
    assertEquals(Optional.of(Fingerprint.of(new byte[] {2})), settings.discoveryFingerprint());
    assertFalse(settings.toString().contains("coral-inv_"), settings.toString());
  }

  @Test
  void anInvitationForAnotherRoleIsNotSpent() {
    InvitationText viewer =
        new InvitationText(
            INVITATION.colonyId(),
            INVITATION.caFingerprint(),
            INVITATION.endpoints(),
            INVITATION.discovery(),
            "viewer",
            INVITATION.agentId(),
            INVITATION.secret());
    assertTrue(messageFor("invitation = \"" + viewer.encode() + "\"").contains("'viewer'"));
  }

  @Test
  void whatContradictsAnInvitationIsNamed() {
    String invitation = "invitation = \"" + INVITATION.encode() + "\"";
    assertTrue(messageFor(invitation + ", id = web-2").contains("web-2"));
    assertTrue(messageFor(invitation + ", colony-id = another-colony").contains("another-colony"));
    assertTrue(messageFor(invitation + ", colony-secret = abc").contains("both given"));
    assertFalse(messageFor(invitation + ", colony-secret = abc").contains("abc"));
    String cut = INVITATION.encode().substring(0, 60);
    String message = messageFor("invitation = \"" + cut + "\"");
    assertTrue(message.contains("copy the whole line"), message);
    assertFalse(message.contains(cut), message);
  }

  private static AgentSettings from(String values) {
    return AgentSettings.from(
        ConfigFactory.parseString("coral.agent { " + values + " }").withFallback(defaults()));
  }

  private static String messageFor(String values) {
    return String.valueOf(assertThrows(SettingsException.class, () -> from(values)).getMessage());
  }
}
