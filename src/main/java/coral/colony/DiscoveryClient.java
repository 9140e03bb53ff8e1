package coral.colony;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import coral.api.discovery.v1.DiscoveryKey;
import coral.api.discovery.v1.GetDiscoveryPublicKeyRequest;
import coral.api.discovery.v1.GetDiscoveryPublicKeyResponse;
import coral.api.discovery.v1.OwnerProof;
import coral.api.discovery.v1.RegisterColonyRequest;
import coral.api.discovery.v1.RegisterColonyResponse;
import coral.api.discovery.v1.RotateColonySecretRequest;
import coral.api.discovery.v1.RotateColonySecretResponse;
import coral.model.ColonyId;
import coral.model.MeshAddresses;
import coral.model.Secret;
import coral.ownership.AnnouncementStatement;
import coral.ownership.ColonyOwner;
import coral.ownership.OwnerStatement;
import coral.ownership.RotationStatement;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import coral.token.AcceptedKeys;
import coral.token.Endorsement;
import coral.token.PublishedKey;
import coral.token.TokenKey;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Asks discovery, over a connection whose key is pinned. Every call blocks. What only the colony
 * itself may ask is signed by its owner, and asked one after the other: discovery accepts nothing
 * that was signed before what it has accepted.
 */
final class DiscoveryClient {
  private static final String SERVICE = "coral.discovery.v1.DiscoveryService/";
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final ConnectClient client;
  private final ColonyId colonyId;
  private final ColonyOwner owner;
  private final Supplier<Secret> secret;

  /**
   * @param secret the colony's present one
   */
  DiscoveryClient(
      ColonySettings.Discovery discovery,
      ColonyId colonyId,
      ColonyOwner owner,
      Supplier<Secret> secret) {
    this.client =
        discovery
            .fingerprint()
            .filter(pin -> discovery.tls())
            .map(
                pin ->
                    ConnectClient.https(
                        discovery.endpoint(), ClientTls.pinnedLeaf(pin), TIMEOUT, TIMEOUT))
            .orElseGet(() -> ConnectClient.plaintext(discovery.endpoint(), TIMEOUT, TIMEOUT));
    this.colonyId = colonyId;
    this.owner = owner;
    this.secret = secret;
  }

  /**
   * Announces the colony, or renews that.
   *
   * @throws IOException if the signature cannot be recorded on disk; then nothing was asked
   */
  synchronized void register(ColonySettings settings, MeshView mesh, int rpcPort)
      throws RpcException, IOException {
    MeshAddresses colony = mesh.subnet().colony();
    Secret present = secret.get();
    RegisterColonyRequest.Builder request =
        RegisterColonyRequest.newBuilder()
            .setMeshId(colonyId.value())
            .setWireguardPubkey(mesh.wireGuardKey().toString())
            .addAllPublicEndpoints(mesh.endpointTexts())
            .setMeshIpv4(colony.ipv4Text())
            .setMeshIpv6(colony.ipv6Text())
            .setConnectPort(rpcPort)
            .putMetadata("app", settings.app())
            .putMetadata("environment", settings.environment())
            .setColonySecret(present.reveal());
    OwnerStatement statement =
        new AnnouncementStatement(
            request.getMeshId(),
            request.getWireguardPubkey(),
            request.getPublicEndpointsList(),
            request.getMeshIpv4(),
            request.getMeshIpv6(),
            request.getConnectPort(),
            request.getMetadataMap(),
            present);
    call(
        "RegisterColony",
        request.setOwner(proof(statement)).build(),
        RegisterColonyResponse.parser());
  }

  /**
   * Gives the colony another secret at discovery; to ask twice is safe.
   *
   * @return when the present one ends
   * @throws IOException if the signature cannot be recorded on disk; then nothing was asked
   */
  synchronized Instant rotateSecret(Secret present, Secret next, Duration grace)
      throws RpcException, IOException {
    RotateColonySecretResponse rotated =
        call(
            "RotateColonySecret",
            RotateColonySecretRequest.newBuilder()
                .setMeshId(colonyId.value())
                .setColonySecret(present.reveal())
                .setNewColonySecret(next.reveal())
                .setGrace(Protobuf.duration(grace))
                .setOwner(proof(new RotationStatement(colonyId.value(), present, next, grace)))
                .build(),
            RotateColonySecretResponse.parser());
    return Protobuf.instant(rotated.getFormerSecretExpiresAt());
  }

  private OwnerProof.Builder proof(OwnerStatement statement) throws IOException {
    ColonyOwner.Signed signed = owner.sign(statement);
    return OwnerProof.newBuilder()
        .setPublicKey(ByteString.copyFrom(signed.publicKey().toBytes()))
        .setSequence(signed.sequence())
        .setSignature(ByteString.copyFrom(signed.signature()));
  }

  /**
   * The keys that tokens are signed with. One that cannot be read is left out: it may be of a kind
   * that comes later.
   *
   * @throws RpcException if discovery does not answer
   */
  List<PublishedKey> tokenKeys() throws RpcException {
    GetDiscoveryPublicKeyResponse answer =
        call(
            "GetDiscoveryPublicKey",
            GetDiscoveryPublicKeyRequest.getDefaultInstance(),
            GetDiscoveryPublicKeyResponse.parser());
    List<PublishedKey> keys = new ArrayList<>();
    for (DiscoveryKey key : answer.getKeysList()) {
      if (keys.size() > AcceptedKeys.MAX_PUBLISHED) {
        break; // too many, as whoever follows them says
      }
      published(key).ifPresent(keys::add);
    }
    return keys;
  }

  private static Optional<PublishedKey> published(DiscoveryKey key) {
    PublishedKey.State state;
    switch (key.getState()) {
      case NEXT -> state = PublishedKey.State.NEXT;
      case CURRENT -> state = PublishedKey.State.CURRENT;
      case PREVIOUS -> state = PublishedKey.State.PREVIOUS;
      case STATE_UNSPECIFIED, UNRECOGNIZED -> {
        return Optional.empty();
      }
      default -> throw new AssertionError(key.getState());
    }
    try {
      return Optional.of(
          new PublishedKey(
              TokenKey.parse(key.getPublicKey()),
              state,
              Protobuf.instant(key.getCreatedAt()),
              key.hasRetiredAt()
                  ? Optional.of(Protobuf.instant(key.getRetiredAt()))
                  : Optional.empty(),
              key.getEndorsedBy().isEmpty()
                  ? Optional.empty()
                  : Optional.of(
                      new Endorsement(key.getEndorsedBy(), key.getEndorsement().toByteArray()))));
    } catch (IllegalArgumentException | java.time.DateTimeException | ArithmeticException e) {
      return Optional.empty();
    }
  }

  private <T extends Message> T call(String rpc, Message request, Parser<T> response)
      throws RpcException {
    return client.call(SERVICE + rpc, request, response);
  }
}
