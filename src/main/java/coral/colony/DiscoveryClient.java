package coral.colony;

import coral.api.discovery.v1.RegisterColonyRequest;
import coral.api.discovery.v1.RegisterColonyResponse;
import coral.model.MeshAddresses;
import coral.model.Secret;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.pekko.Done;

/** Registers the colony with discovery, over a connection whose key is pinned. */
final class DiscoveryClient {
  private static final String REGISTER = "coral.discovery.v1.DiscoveryService/RegisterColony";
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final ConnectClient client;
  private final RegisterColonyRequest request;
  private final Executor blocking;

  DiscoveryClient(
      ColonySettings.Discovery discovery,
      ColonySettings settings,
      MeshView mesh,
      int rpcPort,
      Secret secret,
      Executor blocking) {
    this.client =
        discovery
            .fingerprint()
            .filter(pin -> discovery.tls())
            .map(
                pin ->
                    ConnectClient.https(
                        discovery.endpoint(), ClientTls.pinnedLeaf(pin), TIMEOUT, TIMEOUT))
            .orElseGet(() -> ConnectClient.plaintext(discovery.endpoint(), TIMEOUT, TIMEOUT));
    MeshAddresses colony = mesh.subnet().colony();
    this.request =
        RegisterColonyRequest.newBuilder()
            .setMeshId(settings.colonyId().value())
            .setWireguardPubkey(mesh.wireGuardKey().toString())
            .addAllPublicEndpoints(mesh.endpointTexts())
            .setMeshIpv4(colony.ipv4Text())
            .setMeshIpv6(colony.ipv6Text())
            .setConnectPort(rpcPort)
            .putMetadata("app", settings.app())
            .putMetadata("environment", settings.environment())
            .setColonySecret(secret.reveal())
            .build();
    this.blocking = blocking;
  }

  CompletionStage<Done> register() {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            client.call(REGISTER, request, RegisterColonyResponse.parser());
            return Done.getInstance();
          } catch (RpcException e) {
            throw new CompletionException(e);
          }
        },
        blocking);
  }
}
