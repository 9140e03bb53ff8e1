package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.AllowRebindRequest;
import coral.api.colony.v1.AllowRebindResponse;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.colony.TestColony.Member;
import coral.model.Failure;
import coral.model.WireGuardKey;
import coral.rpc.RpcException;
import coral.wireguard.KeyPair;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * From an address without a certificate to one with it. The id belongs to whoever claimed it first,
 * and all that is known of it is its WireGuard key.
 */
@Timeout(120)
class LegacyMigrationTest {
  @TempDir Path directory;

  @Test
  void theFirstCertificateOfAnIdKeepsTheKeyThatTheIdHasRegisteredWith() throws Exception {
    try (TestColony colony = TestColony.start(directory, LegacyAgents.TAKEN)) {
      WireGuardKey own = KeyPair.generate().publicKey();
      registerBySecret(colony, "old-1", own);
      Member thief = colony.bootstrap("old-1");
      WireGuardKey theirs = KeyPair.generate().publicKey();
      RpcException refused =
          assertThrows(RpcException.class, () -> colony.register(thief, theirs, "r1"));
      assertEquals(Failure.AGENT_ID_TAKEN, refused.failure());
      String message = String.valueOf(refused.getMessage());
      assertTrue(message.contains("coral agent allow-rebind old-1"), message);
      assertTrue(isPeer(colony, own));
      assertFalse(isPeer(colony, theirs));
      colony.restart(LegacyAgents.TAKEN);
      assertThrows(RpcException.class, () -> colony.register(thief, theirs, "r2"));
      assertTrue(isPeer(colony, own));
    }
  }

  /** As an agent does that is updated and invited: its key file is where it was. */
  @Test
  void whoeverKeepsItsKeyKeepsItsAddressAndMayReplaceTheKeyFromThenOn() throws Exception {
    try (TestColony colony = TestColony.start(directory, LegacyAgents.TAKEN)) {
      WireGuardKey own = KeyPair.generate().publicKey();
      RegisterAgentResponse legacy = registerBySecret(colony, "old-1", own);
      Member updated = colony.bootstrap("old-1");
      assertEquals(legacy.getAssignedIp(), colony.register(updated, own, "r1").getAssignedIp());
      WireGuardKey next = KeyPair.generate().publicKey();
      assertEquals(legacy.getAssignedIp(), colony.register(updated, next, "r2").getAssignedIp());
      assertTrue(isPeer(colony, next));
      assertFalse(isPeer(colony, own));
    }
  }

  @Test
  void anOperatorLetsAHostThatHasLostItsKeyTakeAnother() throws Exception {
    try (TestColony colony = TestColony.start(directory, LegacyAgents.TAKEN)) {
      WireGuardKey lost = KeyPair.generate().publicKey();
      RegisterAgentResponse legacy = registerBySecret(colony, "old-1", lost);
      Member updated = colony.bootstrap("old-1");
      WireGuardKey next = KeyPair.generate().publicKey();
      assertThrows(RpcException.class, () -> colony.register(updated, next, "r1"));
      colony.call(
          Optional.of(colony.administrator()),
          TestColony.CERTIFICATES + "AllowRebind",
          AllowRebindRequest.newBuilder().setAgentId("old-1").setReason("new disk").build(),
          AllowRebindResponse.parser());
      assertEquals(legacy.getAssignedIp(), colony.register(updated, next, "r2").getAssignedIp());
      assertTrue(isPeer(colony, next));
      assertFalse(isPeer(colony, lost));
    }
  }

  private static boolean isPeer(TestColony colony, WireGuardKey key) {
    return colony.process().device().statistics(key).isPresent();
  }

  private static RegisterAgentResponse registerBySecret(
      TestColony colony, String agentId, WireGuardKey key) throws RpcException {
    return LegacyAgents.register(
        colony,
        LegacyAgents.request(key)
            .setAgentId(agentId)
            .setColonySecret(colony.created.secret().reveal())
            .build());
  }
}
