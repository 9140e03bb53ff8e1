package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import coral.agent.AgentProcess;
import coral.api.colony.v1.RequestCertificateResponse;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.certificate.KeyType;
import coral.model.Failure;
import coral.model.WireGuardKey;
import coral.rpc.RpcException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/**
 * RFD 020 (token draft), "E2E Tests": discovery issues, the colony takes, over real TLS and with a
 * real database.
 */
@Timeout(180)
class IdentityTokensTest {
  private static final String REGISTER = "coral.mesh.v1.MeshService/Register";

  @TempDir Path home;

  private IdentitySite site;

  @BeforeEach
  void start() throws Exception {
    site = IdentitySite.create(home);
  }

  @AfterEach
  void stop() {
    site.close();
  }

  /** One that was announced: discovery knows the colony, and the colony discovery's key. */
  private void startColony(String settings) throws Exception {
    site.startColony(settings);
    site.joinOnce("first", site.secret());
  }

  private static RpcException refused(Executable call) {
    return assertThrows(RpcException.class, call);
  }

  /** "Token expired (wait 61 seconds)": it is the colony that is 66 seconds later. */
  @Test
  void anExpiredTokenBuysNothingAndANewOneDoes() throws Exception {
    startColony("");
    KeyPair keys = KeyType.P_256.generate();
    String token = site.token("web", keys);
    site.colonyClock.set(Duration.ofSeconds(66));
    RpcException expired = refused(() -> site.buy("web", keys, token));
    assertEquals(Failure.UNAUTHENTICATED, expired.failure());
    assertTrue(String.valueOf(expired.getMessage()).contains("expired"), expired.getMessage());
    site.colonyClock.set(Duration.ZERO);
    site.startColony(""); // its limits remember failures that its clock now puts into the future
    assertFalse(site.buy("web", keys, site.token("web", keys)).getCertificate().isEmpty());
  }

  /** "Token replay": for another name, by another key, and after the colony was started again. */
  @Test
  void aReplayedTokenBuysNothingElseAlsoAfterARestart() throws Exception {
    startColony("");
    KeyPair keys = KeyType.P_256.generate();
    String token = site.token("web", keys);
    RequestCertificateResponse bought = site.buy("web", keys, token);
    for (int start = 0; start < 2; start++) {
      assertEquals(
          Failure.UNAUTHENTICATED, refused(() -> site.buy("other", keys, token)).failure());
      KeyPair another = KeyType.P_256.generate();
      assertEquals(
          Failure.UNAUTHENTICATED, refused(() -> site.buy("web", another, token)).failure());
      assertEquals(
          bought.getSerialNumber(),
          site.buy("web", keys, token).getSerialNumber(),
          "whoever lost the answer gets it again");
      site.startColony("");
    }
  }

  /** J13: the thief comes first, and harms nobody. */
  @Test
  void aStolenTokenIsUselessWithAnotherKeyAndNotSpentByIt() throws Exception {
    startColony("");
    KeyPair keys = KeyType.P_256.generate();
    String token = site.token("web", keys);
    RpcException stolen = refused(() -> site.buy("web", KeyType.P_256.generate(), token));
    assertEquals(Failure.UNAUTHENTICATED, stolen.failure());
    assertFalse(
        String.valueOf(stolen.getMessage()).contains(token.substring(0, 20)),
        "the token is not shown");
    assertFalse(site.buy("web", keys, token).getCertificate().isEmpty());
  }

  /** "Colony rejects token with invalid signature", and what another discovery has signed. */
  @Test
  void aTokenThatWasChangedOrThatAnotherDiscoveryIssuedBuysNothing(@TempDir Path elsewhere)
      throws Exception {
    startColony("");
    KeyPair keys = KeyType.P_256.generate();
    String token = site.token("web", keys);
    String[] parts = token.split("\\.", -1);
    String claims = new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8);
    String longer = claims.replaceFirst("(\"jti\":\")", "$1x"); // whose number nobody has spent
    assertFalse(longer.equals(claims), claims);
    parts[1] =
        Base64.getUrlEncoder()
            .withoutPadding()
            .encodeToString(longer.getBytes(StandardCharsets.UTF_8));
    String changed = String.join(".", parts);
    assertEquals(Failure.UNAUTHENTICATED, refused(() -> site.buy("web", keys, changed)).failure());

    try (IdentitySite other = IdentitySite.create(elsewhere)) {
      other.startColony("");
      other.joinOnce("first", other.secret());
      String foreign = other.token("web", keys);
      assertEquals(
          Failure.UNAUTHENTICATED, refused(() -> site.buy("web", keys, foreign)).failure());
      assertFalse(other.buy("web", keys, foreign).getCertificate().isEmpty(), "it is good there");
    }
    assertFalse(site.buy("web", keys, token).getCertificate().isEmpty());
  }

  /** "Token expires during registration": the agent asks for another one by itself. */
  @Test
  void anAgentWhoseTokenExpiresDuringSetUpGetsAnotherOne() throws Exception {
    startColony("");
    site.colonyClock.set(Duration.ofSeconds(66)); // as if the token had been under way for so long
    AgentEvents events = new AgentEvents();
    try (AgentProcess agent = site.startAgent("slow", site.secret(), events.out())) {
      JsonNode failed = events.awaitFailure("TOKEN_REFUSED");
      assertTrue(failed.path("message").asText().contains("expired"), failed.toString());
      site.colonyClock.set(Duration.ZERO);
      assertEquals("token", events.await("joined").path("certificatePaidWith").asText());
      assertFalse(agent.exitCode().toCompletableFuture().isDone());
    }
  }

  /** "Mixed fleet", while all agents move to certificates; and when that is over. */
  @Test
  void certificatesTokensAndTheSecretWorkBesideEachOtherOnlyWhileThatIsSet() throws Exception {
    startColony("legacy { accept-colony-secret = true, accept-token-registration = true }");
    WireGuardKey tokenKey = key();
    RegisterAgentRequest byToken =
        RegisterAgentRequest.newBuilder()
            .setRegistrationToken(
                site.token(
                    request ->
                        request.setAgentId("by-token").setWireguardPubkey(tokenKey.toString())))
            .setWireguardPubkey(tokenKey.toString())
            .setRequestId("r-1")
            .build();
    RegisterAgentRequest bySecret =
        RegisterAgentRequest.newBuilder()
            .setAgentId("by-secret")
            .setColonySecret(site.created.secret().reveal())
            .setWireguardPubkey(key().toString())
            .setRequestId("r-2")
            .build();
    RegisterAgentResponse token = register(byToken);
    RegisterAgentResponse secret = register(bySecret);
    assertFalse(token.getAssignedIp().equals(secret.getAssignedIp()), token.getAssignedIp());
    assertFalse(token.getDeprecationNotice().isEmpty());
    assertFalse(secret.getDeprecationNotice().isEmpty());

    AgentEvents events = new AgentEvents();
    try (AgentProcess agent = site.startAgent("by-certificate", site.secret(), events.out())) {
      events.await("joined");
      assertEquals(
          Map.of("certificate", 2L, "token", 1L, "colony-secret", 1L),
          site.administrator().status().getAgentsByAuthenticationMap());

      site.startColony("");
      events.await("joined"); // again, by its certificate
      for (RegisterAgentRequest former : new RegisterAgentRequest[] {byToken, bySecret}) {
        RpcException refused = refused(() -> register(former));
        assertEquals(Failure.UNAUTHENTICATED, refused.failure(), refused.getMessage());
      }
      assertFalse(agent.exitCode().toCompletableFuture().isDone());
    }
  }

  private RegisterAgentResponse register(RegisterAgentRequest request) throws RpcException {
    return site.call(REGISTER, request, RegisterAgentResponse.parser());
  }

  private static WireGuardKey key() {
    return coral.wireguard.KeyPair.generate().publicKey();
  }
}
