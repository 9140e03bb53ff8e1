package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.model.ColonyId;
import coral.settings.SettingsException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ProxySettingsTest {
  @Test
  void anAgentHasNoListenerUnlessItIsAskedFor() {
    assertEquals(Optional.empty(), settings("").proxy());
    AgentSettings embedded = settings("proxy.enabled = true");
    assertFalse(embedded.isStandaloneProxy());
    assertEquals("/127.0.0.1:8000", address(embedded));
    assertEquals("coral0", embedded.device().interfaceName());
  }

  @Test
  void aProxyHasAnIdentityOfItsOwn() {
    AgentSettings proxy = settings("proxy.standalone = true, id = \"\"");
    assertTrue(proxy.isStandaloneProxy());
    assertTrue(proxy.agentId().value().startsWith("proxy-"), proxy.agentId().value());
    assertEquals(
        Path.of("proxies", proxy.colonyId().value()), proxy.home().relativize(proxy.directory()));
  }

  @Test
  void anAddressThatOtherHostsReachNeedsTlsAndAToken() {
    SettingsException refused =
        assertThrows(
            SettingsException.class,
            () -> settings("proxy { enabled = true, listen.host = \"0.0.0.0\" }"));
    assertTrue(String.valueOf(refused.getMessage()).contains("needs TLS"), refused.getMessage());
    assertThrows(
        SettingsException.class,
        () -> settings("proxy { enabled = true, remote.token-file = \"/nowhere\" }"));
    assertThrows(
        SettingsException.class,
        () -> settings("proxy { enabled = true, remote.client-certificates = true }"));
  }

  /** Linux: an interface's name has at most 15 bytes. */
  @Test
  void anInterfaceIsNamedAfterTheEndOfItsColonysId() {
    Map<String, String> names =
        Map.of(
            "my-app-prod-a3f2e1", "coral-a3f2e1",
            "shop-a3f2e1", "coral-a3f2e1",
            "a-b-a3f2e1", "coral-b-a3f2e1",
            "shop-prod", "coral-shop-prod",
            "averyverylongname", "coral-ylongname");
    names.forEach(
        (id, name) -> {
          assertEquals(name, ProxySettings.interfaceName(new ColonyId(id)), id);
          assertTrue(name.length() <= 15, name);
        });
  }

  private static String address(AgentSettings settings) {
    return settings.proxy().orElseThrow().listener().address().toString();
  }

  private static AgentSettings settings(String text) {
    return AgentSettings.from(
        ConfigFactory.parseString("coral.agent { " + text + " }")
            .withFallback(AgentSettingsTest.defaults()));
  }
}
