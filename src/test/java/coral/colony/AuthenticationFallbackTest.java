package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.AuditRecord;
import coral.api.colony.v1.AuthenticationFallback;
import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.GetStatusResponse;
import coral.api.colony.v1.ListAuditRecordsRequest;
import coral.api.colony.v1.ListAuditRecordsResponse;
import coral.colony.TestColony.Member;
import coral.model.Failure;
import coral.model.WireGuardKey;
import coral.rpc.RpcException;
import coral.testing.Eventually;
import coral.token.SigningKey;
import coral.wireguard.KeyPair;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Agents that prove who they are by less than before. */
@Timeout(120)
class AuthenticationFallbackTest {
  @TempDir Path directory;

  private static List<AuthenticationFallback> fallbacks(TestColony colony) throws Exception {
    return colony
        .call(
            Optional.of(colony.administrator()),
            TestColony.COLONY + "GetStatus",
            GetStatusRequest.getDefaultInstance(),
            GetStatusResponse.parser())
        .getAuthenticationFallbacksList();
  }

  private static List<String> agents(TestColony colony) throws Exception {
    return fallbacks(colony).stream().map(AuthenticationFallback::getAgentId).toList();
  }

  private static List<AuditRecord> records(TestColony colony, String kind) throws Exception {
    return colony
        .call(
            Optional.of(colony.administrator()),
            "coral.colony.v1.AuditService/ListAuditRecords",
            ListAuditRecordsRequest.newBuilder().setKind(kind).build(),
            ListAuditRecordsResponse.parser())
        .getRecordsList();
  }

  @Test
  void anAgentThatComesBackWithAWeakerProofIsAnAlarmThatARestartDoesNotForget() throws Exception {
    SigningKey signing = SigningKey.generate(LegacyAgents.RANDOM);
    try (TestColony colony = TestColony.start(directory, LegacyAgents.TAKEN);
        AuditLog log = new AuditLog()) {
      LegacyAgents.trust(colony, signing);
      colony.restart();
      String secret = colony.created.secret().reveal();

      // By a token, and then by the colony's secret.
      WireGuardKey key = KeyPair.generate().publicKey();
      String token = LegacyAgents.token(colony, signing, "old-1", Optional.of(key));
      LegacyAgents.register(colony, LegacyAgents.request(key).setRegistrationToken(token).build());
      assertEquals(List.of(), fallbacks(colony));
      LegacyAgents.register(
          colony, LegacyAgents.request(key).setAgentId("old-1").setColonySecret(secret).build());
      Eventually.holds(() -> assertEquals(List.of("old-1"), agents(colony)));
      assertEquals(
          "it has proved who it is by colony-secret alone, by token before",
          fallbacks(colony).get(0).getDetail());
      assertTrue(log.contains("ALARM agent=old-1 source=127.0.0.1: it has proved"), log::toString);

      // By a certificate, and then by the colony's secret.
      Member web = colony.bootstrap("web-1");
      WireGuardKey webKey = KeyPair.generate().publicKey();
      colony.register(web, webKey, "join");
      for (int i = 0; i < 3; i++) {
        RpcException refused =
            assertThrows(
                RpcException.class,
                () ->
                    LegacyAgents.register(
                        colony,
                        LegacyAgents.request(webKey)
                            .setAgentId("web-1")
                            .setColonySecret(secret)
                            .build()));
        assertEquals(Failure.AGENT_ID_TAKEN, refused.failure());
      }
      Eventually.holds(() -> assertEquals(List.of("web-1", "old-1"), agents(colony)));
      List<AuditRecord> alarms = records(colony, "authentication-weakened");
      assertEquals(2, alarms.size(), () -> "not one for each attempt: " + alarms);
      assertEquals("127.0.0.1", alarms.get(1).getSourceAddress());
      assertTrue(log.contains("ALARM agent=web-1 source=127.0.0.1"), log::toString);

      assertEquals(
          2,
          ColonyMetricsTest.records(ColonyMetricsTest.samples(colony), "authentication-weakened"));

      colony.restart();
      List<AuthenticationFallback> after = fallbacks(colony);
      assertEquals(List.of("web-1", "old-1"), agents(colony), after::toString);
    }
  }

  @Test
  void aBetterProofIsNoAlarm() throws Exception {
    SigningKey signing = SigningKey.generate(LegacyAgents.RANDOM);
    try (TestColony colony = TestColony.start(directory, LegacyAgents.TAKEN)) {
      LegacyAgents.trust(colony, signing);
      colony.restart();
      WireGuardKey key = KeyPair.generate().publicKey();
      LegacyAgents.register(
          colony,
          LegacyAgents.request(key)
              .setAgentId("old-1")
              .setColonySecret(colony.created.secret().reveal())
              .build());
      String token = LegacyAgents.token(colony, signing, "old-1", Optional.of(key));
      LegacyAgents.register(colony, LegacyAgents.request(key).setRegistrationToken(token).build());
      colony.register(colony.bootstrap("old-1"), key, "join");
      Eventually.holds(
          () -> assertEquals(2, records(colony, "authentication-strengthened").size()));
      assertEquals(List.of(), records(colony, "authentication-weakened"));
      assertEquals(List.of(), fallbacks(colony));
    }
  }
}
