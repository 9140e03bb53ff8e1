package coral.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ValuesTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "a",
        "0",
        "web-1.example_x",
        "a23456789012345678901234567890123456789012345678901234567890123"
      })
  void anAgentIdIsLowerCaseLettersDigitsDotsDashesAndUnderscores(String id) {
    assertEquals(id, new AgentId(id).toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-a",
        ".a",
        "_a",
        "A",
        "a b",
        "a/b",
        "é",
        "a\n",
        "a\u0000",
        "a234567890123456789012345678901234567890123456789012345678901234"
      })
  void anythingElseIsNoAgentId(String id) {
    assertThrows(IllegalArgumentException.class, () -> new AgentId(id));
  }

  @Test
  void identitiesSurviveTheWireAsPlainText() throws JsonProcessingException {
    ObjectMapper json = new ObjectMapper();
    assertEquals("\"web-1\"", json.writeValueAsString(new AgentId("web-1")));
    assertEquals(new AgentId("web-1"), json.readValue("\"web-1\"", AgentId.class));
    WireGuardKey key = key(1);
    assertEquals(key, json.readValue(json.writeValueAsString(key), WireGuardKey.class));
  }

  @Test
  void aWireGuardKeyIsItsCanonicalBase64() {
    for (int seed = 0; seed < 100; seed++) {
      WireGuardKey key = key(seed);
      assertEquals(key, WireGuardKey.parse(key.toString()), "seed " + seed);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "short",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
        "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!",
        "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
      })
  void anythingElseIsNoWireGuardKey(String text) {
    assertThrows(IllegalArgumentException.class, () -> WireGuardKey.parse(text));
  }

  @ParameterizedTest
  @CsvSource({
    "::, ::",
    "::1, ::1",
    "fd42::f, fd42::f",
    "2001:db8:0:0:1:0:0:1, 2001:db8::1:0:0:1",
    "2001:db8:0:1:1:1:1:1, 2001:db8:0:1:1:1:1:1",
    "fe80:0:0:0:0:0:0:0, fe80::",
    "0:0:0:0:0:0:1:0, ::1:0",
    "10.42.0.1, 10.42.0.1"
  })
  void addressesAreWrittenAsRfc5952Recommends(String address, String text)
      throws UnknownHostException {
    assertEquals(text, Addresses.text(InetAddress.getByName(address)));
  }

  @Test
  void theTextOfAnAddressReadsBackAsTheAddress() throws UnknownHostException {
    long seed = 4711;
    Random random = new Random(seed);
    for (int i = 0; i < 10_000; i++) {
      byte[] bytes = new byte[16];
      for (int group = 0; group < 8; group++) {
        if (random.nextBoolean()) {
          bytes[2 * group] = (byte) random.nextInt();
          bytes[2 * group + 1] = (byte) random.nextInt();
        }
      }
      bytes[0] = (byte) 0xfd; // never an IPv4-mapped address
      InetAddress address = InetAddress.getByAddress(bytes);
      assertEquals(address, IpPrefix.parseAddress(Addresses.text(address)), "seed " + seed);
    }
  }

  @Test
  void aPrefixContainsItsAddressesOnly() {
    IpPrefix prefix = IpPrefix.parse("10.42.0.0/15");
    assertTrue(prefix.contains(IpPrefix.parseAddress("10.43.255.255")));
    assertFalse(prefix.contains(IpPrefix.parseAddress("10.44.0.0")));
    assertFalse(prefix.contains(IpPrefix.parseAddress("fd42::1")));
    assertTrue(IpPrefix.parse("::/0").contains(IpPrefix.parseAddress("fd42::1")));
  }

  @ParameterizedTest
  @CsvSource({"203.0.113.42:41820", "colony.example:9000", "[fd42::1]:9000"})
  void anEndpointReadsBackAsItWasWritten(String text) {
    assertEquals(text, Endpoint.parse(text).toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", ":1", "host", "host:", "host:0", "host:65536", "fd42::1:9000", "a b:1", "h:x"})
  void anythingElseIsNoEndpoint(String text) {
    assertThrows(IllegalArgumentException.class, () -> Endpoint.parse(text));
  }

  @Test
  void aSecretIsNeverShown() {
    Secret secret = new Secret("coral-sec_abc");
    assertFalse((secret + "" + new Refused(Failure.UNAUTHENTICATED, "" + secret)).contains("abc"));
    assertTrue(secret.matches("coral-sec_abc"));
    assertFalse(secret.matches("coral-sec_abd"));
  }

  private static WireGuardKey key(int seed) {
    byte[] bytes = new byte[WireGuardKey.LENGTH];
    new Random(seed).nextBytes(bytes);
    return WireGuardKey.of(bytes);
  }
}
