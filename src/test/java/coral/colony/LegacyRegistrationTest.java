package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import coral.api.colony.v1.Agent;
import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.GetStatusResponse;
import coral.api.colony.v1.ListAgentsRequest;
import coral.api.colony.v1.ListAgentsResponse;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.colony.TestColony.Member;
import coral.model.Failure;
import coral.model.WireGuardKey;
import coral.rpc.RpcException;
import coral.token.SigningKey;
import coral.wireguard.KeyPair;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** RFD 020, token draft: addresses without certificates, for migration; S5: never unasked. */
@Timeout(120)
class LegacyRegistrationTest {
  @TempDir Path directory;

  private static Failure refused(Executable call) {
    return assertThrows(RpcException.class, call).failure();
  }

  @Test
  void aMixedFleetIsTakenIfConfiguredAndCountedByHowItsMembersProveThemselves() throws Exception {
    SigningKey signing = SigningKey.generate(LegacyAgents.RANDOM);
    try (TestColony colony = TestColony.start(directory)) {
      LegacyAgents.trust(colony, signing);
      Member web = colony.bootstrap("web-1");
      WireGuardKey key = KeyPair.generate().publicKey();
      RegisterAgentRequest bySecret =
          LegacyAgents.request(key)
              .setAgentId("old-1")
              .setColonySecret(colony.created.secret().reveal())
              .build();
      assertEquals(
          Failure.UNAUTHENTICATED,
          refused(() -> LegacyAgents.register(colony, bySecret)),
          "not unasked");

      colony.restart(LegacyAgents.TAKEN);
      colony.register(web, KeyPair.generate().publicKey(), "r");
      RegisterAgentResponse old = LegacyAgents.register(colony, bySecret);
      assertEquals(LegacyRegistration.SECRET_DEPRECATED, old.getDeprecationNotice());
      assertEquals(old, LegacyAgents.register(colony, bySecret), "again");
      assertEquals(
          Failure.AGENT_ID_TAKEN,
          refused(
              () ->
                  LegacyAgents.register(
                      colony,
                      bySecret.toBuilder()
                          .setWireguardPubkey(KeyPair.generate().publicKey().toString())
                          .build())),
          "nobody takes an address over with what all agents have");
      assertEquals(
          Failure.AGENT_ID_TAKEN,
          refused(
              () ->
                  LegacyAgents.register(colony, bySecret.toBuilder().setAgentId("web-1").build())),
          "nor the name of an agent with a certificate");

      WireGuardKey tokenKey = KeyPair.generate().publicKey();
      String token = LegacyAgents.token(colony, signing, "old-2", Optional.of(tokenKey));
      RegisterAgentRequest byToken =
          LegacyAgents.request(tokenKey).setRegistrationToken(token).build();
      assertEquals(
          Failure.UNAUTHENTICATED,
          refused(
              () ->
                  LegacyAgents.register(
                      colony,
                      byToken.toBuilder()
                          .setWireguardPubkey(KeyPair.generate().publicKey().toString())
                          .build())),
          "J13: bound to another key");
      RegisterAgentResponse second = LegacyAgents.register(colony, byToken);
      assertEquals(LegacyRegistration.TOKEN_DEPRECATED, second.getDeprecationNotice());
      assertEquals(second, LegacyAgents.register(colony, byToken), "its answer again");

      String unbound = LegacyAgents.token(colony, signing, "old-3", Optional.empty());
      WireGuardKey third = KeyPair.generate().publicKey();
      LegacyAgents.register(
          colony, LegacyAgents.request(third).setRegistrationToken(unbound).build());
      colony.restart(LegacyAgents.TAKEN);
      assertEquals(
          Failure.UNAUTHENTICATED,
          refused(
              () ->
                  LegacyAgents.register(
                      colony,
                      LegacyAgents.request(KeyPair.generate().publicKey())
                          .setRegistrationToken(
                              LegacyAgents.token(
                                  colony,
                                  SigningKey.generate(LegacyAgents.RANDOM),
                                  "x",
                                  Optional.empty()))
                          .build())));
      // J9: spent in the allocator's own journal, also after a restart.
      colony.deregister(colony.administrator(), "old-3");
      for (WireGuardKey again : List.of(third, KeyPair.generate().publicKey())) {
        assertEquals(
            Failure.UNAUTHENTICATED,
            refused(
                () ->
                    LegacyAgents.register(
                        colony,
                        LegacyAgents.request(again).setRegistrationToken(unbound).build())));
      }

      Map<String, String> shown =
          agents(colony).stream()
              .collect(Collectors.toMap(Agent::getAgentId, Agent::getAuthentication));
      assertEquals(
          Map.of("web-1", "certificate", "old-1", "colony-secret", "old-2", "token"), shown);
      Map<String, Agent> byId =
          agents(colony).stream().collect(Collectors.toMap(Agent::getAgentId, Function.identity()));
      Agent known = byId.getOrDefault("web-1", Agent.getDefaultInstance());
      assertEquals("web", known.getComponentName(), "after a restart, before it is back");
      assertEquals(Protobuf.serial(web.certificate().chain().get(0)), known.getCertificateSerial());
      assertFalse(known.getConnected());
      GetStatusResponse status =
          colony.call(
              Optional.of(colony.administrator()),
              TestColony.COLONY + "GetStatus",
              GetStatusRequest.getDefaultInstance(),
              GetStatusResponse.parser());
      assertEquals(
          Map.of("certificate", 1L, "token", 1L, "colony-secret", 1L),
          status.getAgentsByAuthenticationMap());
    }
  }

  private static List<Agent> agents(TestColony colony) throws Exception {
    return colony
        .call(
            Optional.of(colony.administrator()),
            TestColony.COLONY + "ListAgents",
            ListAgentsRequest.getDefaultInstance(),
            ListAgentsResponse.parser())
        .getAgentsList();
  }
}
