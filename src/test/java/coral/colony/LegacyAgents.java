package coral.colony;

import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.model.AgentId;
import coral.model.WireGuardKey;
import coral.rpc.RpcException;
import coral.token.AcceptedKeys;
import coral.token.AcceptedKeysFile;
import coral.token.PublishedKey;
import coral.token.RegistrationToken;
import coral.token.SigningKey;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What agents without certificates send, and what a colony needs to take it. */
final class LegacyAgents {
  static final SecureRandom RANDOM = new SecureRandom();

  /** The settings of a colony that takes all of it. */
  static final Map<String, ?> TAKEN =
      Map.of(
          "coral.colony.legacy.accept-colony-secret", true,
          "coral.colony.legacy.accept-token-registration", true);

  private LegacyAgents() {}

  /** Has the colony believe tokens of this key from its next start on. */
  static void trust(TestColony colony, SigningKey signing) throws IOException {
    new AcceptedKeysFile(colony.home())
        .save(
            AcceptedKeys.onFirstUse(
                List.of(
                    new PublishedKey(
                        signing.publicKey(),
                        PublishedKey.State.CURRENT,
                        InstantSource.system().instant(),
                        Optional.empty(),
                        Optional.empty()))));
  }

  static RegisterAgentRequest.Builder request(WireGuardKey key) {
    return RegisterAgentRequest.newBuilder()
        .setWireguardPubkey(key.toString())
        .setComponentName("old");
  }

  static RegisterAgentResponse register(TestColony colony, RegisterAgentRequest request)
      throws RpcException {
    return colony.call(
        Optional.empty(), TestColony.MESH + "Register", request, RegisterAgentResponse.parser());
  }

  static String token(
      TestColony colony, SigningKey signing, String agentId, Optional<WireGuardKey> key) {
    return signing.sign(
        RegistrationToken.create(
            new AgentId(agentId),
            colony.created.colonyId(),
            Optional.empty(),
            key,
            InstantSource.system().instant().plusSeconds(1),
            RANDOM));
  }
}
