package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.colony.v1.RequestCertificateResponse;
import coral.api.mesh.v1.DeregisterAgentRequest;
import coral.api.mesh.v1.DeregisterAgentResponse;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.certificate.CertificateRequests;
import coral.certificate.KeyType;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.WireGuardKey;
import coral.rpc.ClientCertificate;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import java.security.KeyPair;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * An agent that remembers what the colony acknowledged and which request was not answered. It has
 * at most one request under way. Not for more than one thread at a time.
 */
final class WitnessAgent {
  private static final String REQUEST_CERTIFICATE =
      "coral.colony.v1.ColonyService/RequestCertificate";
  private static final String REGISTER = "coral.mesh.v1.MeshService/Register";
  private static final String DEREGISTER = "coral.mesh.v1.MeshService/Deregister";

  /** What changes something in the colony. */
  enum Request {
    CERTIFICATE,
    REGISTER,
    DEREGISTER
  }

  /** Both mesh addresses. */
  record Address(String ipv4, String ipv6) {}

  /** How agents reach their colony. */
  interface Network {
    ConnectClient client(Optional<ClientCertificate> as);

    /** The secret of an invitation for all agents. */
    String invitation() throws RpcException;
  }

  /** A certificate that was acknowledged, and the connection that shows it. */
  private record Credential(ClientCertificate certificate, ConnectClient client) {}

  private final AgentId id;
  private final Network network;
  private final KeyPair keys = KeyType.P_256.generate();
  private final List<Credential> credentials = new ArrayList<>();

  /** Each costs a signature, or none if the answer is the same again. */
  private static final int CERTIFICATE_REQUESTS = 8;

  private int certificateRequests;
  private int registrations;
  private @Nullable WireGuardKey wireGuardKey;
  private @Nullable Address held;
  private @Nullable Request unanswered;
  private boolean hasNewCertificate;

  WitnessAgent(AgentId id, Network network) {
    this.id = id;
    this.network = network;
  }

  AgentId id() {
    return id;
  }

  Optional<Address> held() {
    return Optional.ofNullable(held);
  }

  /** The request whose outcome nobody has told. */
  Optional<Request> unanswered() {
    return Optional.ofNullable(unanswered);
  }

  int certificates() {
    return credentials.size();
  }

  /**
   * Does what an agent in its state can do; it returns once that is acknowledged.
   *
   * @throws RpcException if there was no acknowledgement: the outcome is {@link #unanswered}
   */
  Request act(Random random) throws RpcException {
    if (credentials.isEmpty()) {
      requestCertificate();
      return Request.CERTIFICATE;
    }
    int die = random.nextInt(10);
    if (held != null && die < 3) {
      deregister();
      return Request.DEREGISTER;
    }
    if (die == 3 && certificateRequests < CERTIFICATE_REQUESTS) {
      requestCertificate();
      return Request.CERTIFICATE;
    }
    byte[] key = new byte[WireGuardKey.LENGTH];
    random.nextBytes(key);
    wireGuardKey = WireGuardKey.of(key);
    registrations++;
    register();
    return Request.REGISTER;
  }

  private void requestCertificate() throws RpcException {
    unanswered = Request.CERTIFICATE;
    certificateRequests++;
    RequestCertificateResponse issued = requestCertificate(keys);
    ClientCertificate certificate =
        new ClientCertificate(
            keys.getPrivate(), Pem.certificates(issued.getCertificate().toByteArray()));
    credentials.add(new Credential(certificate, network.client(Optional.of(certificate))));
    hasNewCertificate = true;
    unanswered = null;
  }

  private RequestCertificateResponse requestCertificate(KeyPair with) throws RpcException {
    return network
        .client(Optional.empty())
        .call(
            REQUEST_CERTIFICATE,
            RequestCertificateRequest.newBuilder()
                .setInvitation(network.invitation())
                .setAgentId(id.value())
                .setCsr(ByteString.copyFrom(CertificateRequests.create(id, with)))
                .build(),
            RequestCertificateResponse.parser());
  }

  private void register() throws RpcException {
    unanswered = Request.REGISTER;
    Address answered = register(newest());
    if (held != null) {
      assertEquals(held, answered, id + " has another address");
    }
    held = answered;
    unanswered = null;
  }

  /** The same request, byte for byte, until the agent acts again. */
  private Address register(Credential as) throws RpcException {
    RegisterAgentResponse response =
        as.client()
            .call(
                REGISTER,
                RegisterAgentRequest.newBuilder()
                    .setWireguardPubkey(String.valueOf(wireGuardKey))
                    .setRequestId("join-" + registrations)
                    .build(),
                RegisterAgentResponse.parser());
    return new Address(response.getAssignedIp(), response.getAssignedIpv6());
  }

  private void deregister() throws RpcException {
    unanswered = Request.DEREGISTER;
    DeregisterAgentResponse released = deregister(newest());
    assertEquals(
        held, new Address(released.getReleasedIp(), released.getReleasedIpv6()), id.toString());
    held = null;
    unanswered = null;
  }

  private DeregisterAgentResponse deregister(Credential as) throws RpcException {
    return as.client()
        .call(
            DEREGISTER,
            DeregisterAgentRequest.getDefaultInstance(),
            DeregisterAgentResponse.parser());
  }

  private Credential newest() {
    return credentials.get(credentials.size() - 1);
  }

  /**
   * Compares what a colony that was started again holds with what it acknowledged.
   *
   * @param allocations by agent id, as its administrator sees them
   */
  void compare(Map<String, Address> allocations) {
    @Nullable Address found = allocations.get(id.value());
    if (unanswered == Request.REGISTER && held == null) {
      return; // done or not, both are right
    }
    if (unanswered == Request.DEREGISTER && found == null) {
      return;
    }
    assertEquals(held, found, id + ", unanswered: " + unanswered);
  }

  /**
   * Sends the unanswered request again. Whether the colony had done it shows in what it holds, and
   * the answer must fit that.
   *
   * @return whether it had been done; empty if that does not show
   */
  Optional<Boolean> retry(Map<String, Address> allocations) throws RpcException {
    @Nullable Request request = unanswered;
    @Nullable Address found = allocations.get(id.value());
    if (request == Request.CERTIFICATE) {
      requestCertificate();
    } else if (request == Request.REGISTER) {
      boolean first = held == null;
      if (found != null) {
        held = found;
      }
      register();
      return first ? Optional.of(found != null) : Optional.empty();
    } else if (request == Request.DEREGISTER) {
      if (found != null) {
        deregister();
      } else {
        assertHoldsNothing(newest());
        held = null;
        unanswered = null;
      }
      return Optional.of(found == null);
    }
    return Optional.empty();
  }

  /** Whether a certificate was acknowledged since the last {@link #confirm}. */
  boolean hasNewCertificate() {
    return hasNewCertificate;
  }

  /**
   * Shows every acknowledged certificate to the colony, and its last registration again: it gets
   * the same address each time. Another key does not get the agent's name.
   */
  void confirm() throws RpcException {
    for (Credential credential : credentials) {
      if (held == null) {
        assertHoldsNothing(credential);
      } else {
        assertEquals(held, register(credential), id.toString());
      }
    }
    if (hasNewCertificate) {
      RpcException refused =
          assertThrows(
              RpcException.class, () -> requestCertificate(KeyType.P_256.generate()), id::value);
      assertEquals(Failure.AGENT_ID_TAKEN, refused.failure(), refused.getMessage());
      hasNewCertificate = false;
    }
  }

  /** The colony knows the certificate, and that its agent has no address. */
  private void assertHoldsNothing(Credential credential) {
    RpcException refused =
        assertThrows(RpcException.class, () -> deregister(credential), id::value);
    assertEquals(Failure.NOT_FOUND, refused.failure(), id + ": " + refused.getMessage());
    assertTrue(refused.reason() == RpcException.Reason.REFUSED, refused.getMessage());
  }
}
