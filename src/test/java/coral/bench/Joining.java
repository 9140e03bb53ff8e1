package coral.bench;

import com.google.protobuf.ByteString;
import coral.api.colony.v1.CreateInvitationRequest;
import coral.api.colony.v1.CreateInvitationResponse;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.colony.v1.RequestCertificateResponse;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.certificate.CertificateRequests;
import coral.certificate.Identity;
import coral.certificate.KeyType;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.InvitationText;
import coral.model.WireGuardKey;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.KeyPair;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;
import javax.net.ssl.SSLContext;

/** What an agent does to join, by the client that agents use. */
final class Joining {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  /** Agents that join at the same time. */
  static final int AT_ONCE = 16;

  /** The most that an invitation can have. */
  private static final int USES = 1_000;

  private final ColonyChild colony;
  private String invitation = "";
  private int usesLeft;

  Joining(ColonyChild colony) {
    this.colony = colony;
  }

  /** Makes a key pair for each, on all processors. */
  static List<KeyPair> keys(KeyType type, int count) throws InterruptedException {
    return all(
        Runtime.getRuntime().availableProcessors(),
        IntStream.range(0, count).<Callable<KeyPair>>mapToObj(i -> type::generate).toList());
  }

  /** Certificates of agents {@code <name>-0} and so on. */
  List<ClientCertificate> bootstrap(String name, List<KeyPair> keys) throws InterruptedException {
    return all(
        AT_ONCE,
        IntStream.range(0, keys.size())
            .<Callable<ClientCertificate>>mapToObj(
                i -> () -> certificate(name + "-" + i, keys.get(i)))
            .toList());
  }

  /** Runs calls, so many at once; any that fails ends the benchmark. */
  static <T> List<T> all(int atOnce, List<Callable<T>> calls) throws InterruptedException {
    ExecutorService threads = Executors.newFixedThreadPool(atOnce);
    try {
      List<T> results = new ArrayList<>();
      for (Future<T> each : threads.invokeAll(calls)) {
        results.add(each.get());
      }
      return results;
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    } finally {
      threads.shutdownNow();
    }
  }

  /** One for all; another one when its uses are used up. */
  private synchronized String invitation() throws RpcException {
    if (usesLeft == 0) {
      usesLeft = USES;
      invitation =
          InvitationText.parse(
                  client(Optional.of(administrator()))
                      .call(
                          "coral.colony.v1.InvitationService/CreateInvitation",
                          CreateInvitationRequest.newBuilder().setUses(USES).build(),
                          CreateInvitationResponse.parser())
                      .getText())
              .secret()
              .reveal();
    }
    usesLeft--;
    return invitation;
  }

  ClientCertificate administrator() {
    try {
      Identity identity =
          Identity.load(
              colony.colony().administratorCertificate(), colony.colony().administratorKey());
      return new ClientCertificate(identity.key(), identity.chain());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Buys a certificate over a new connection. */
  ClientCertificate certificate(String agentId, KeyPair keys) throws RpcException {
    RequestCertificateResponse issued =
        client(Optional.empty())
            .call(
                "coral.colony.v1.ColonyService/RequestCertificate",
                RequestCertificateRequest.newBuilder()
                    .setAgentId(agentId)
                    .setInvitation(invitation())
                    .setCsr(
                        ByteString.copyFrom(CertificateRequests.create(new AgentId(agentId), keys)))
                    .build(),
                RequestCertificateResponse.parser());
    return new ClientCertificate(
        keys.getPrivate(), Pem.certificates(issued.getCertificate().toByteArray()));
  }

  /** Registers over a new connection. */
  RegisterAgentResponse register(ClientCertificate own) throws RpcException {
    return client(Optional.of(own))
        .call(
            "coral.mesh.v1.MeshService/Register",
            request(Long.toHexString(ThreadLocalRandom.current().nextLong())),
            RegisterAgentResponse.parser());
  }

  /** A registration with a new key. */
  static RegisterAgentRequest request(String requestId) {
    byte[] key = new byte[WireGuardKey.LENGTH];
    ThreadLocalRandom.current().nextBytes(key);
    return RegisterAgentRequest.newBuilder()
        .setWireguardPubkey(WireGuardKey.of(key).toString())
        .setRequestId(requestId)
        .setComponentName("bench")
        .build();
  }

  private ConnectClient client(Optional<ClientCertificate> own) {
    return ConnectClient.https(colony.endpoint(), tls(own), TIMEOUT, TIMEOUT);
  }

  SSLContext tls(Optional<ClientCertificate> own) {
    return ClientTls.pinned(
        colony.colony().caFingerprint(), "spiffe://" + colony.colony().colonyId() + "/colony", own);
  }
}
