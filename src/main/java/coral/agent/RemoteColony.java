package coral.agent;

import com.google.protobuf.ByteString;
import coral.agent.JoinFailure.Kind;
import coral.api.colony.v1.CreateInvitationRequest;
import coral.api.colony.v1.CreateInvitationResponse;
import coral.api.colony.v1.GetCACertificateRequest;
import coral.api.colony.v1.GetCACertificateResponse;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.colony.v1.RequestCertificateResponse;
import coral.api.mesh.v1.DeregisterAgentRequest;
import coral.api.mesh.v1.DeregisterAgentResponse;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.certificate.Identity;
import coral.model.Endpoint;
import coral.model.InvitationText;
import coral.model.IpPrefix;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.model.Secret;
import coral.model.WireGuardKey;
import coral.rpc.ClientCertificate;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Function;
import javax.net.ssl.SSLContext;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.jspecify.annotations.Nullable;

/** The colony over the network: unary calls by the Connect protocol, the session by gRPC. */
final class RemoteColony implements ColonyClient {
  private static final String GET_CA = "coral.colony.v1.ColonyService/GetCACertificate";
  private static final String REQUEST_CERTIFICATE =
      "coral.colony.v1.ColonyService/RequestCertificate";
  private static final String REGISTER = "coral.mesh.v1.MeshService/Register";
  private static final String DEREGISTER = "coral.mesh.v1.MeshService/Deregister";
  private static final String INVITE = "coral.colony.v1.InvitationService/CreateInvitation";

  /** From asking for an invitation to using it takes one more call. */
  private static final Duration INVITATION_TTL = Duration.ofMinutes(5);

  /**
   * Of one endpoint among up to 16 of which some lead nowhere. Twice the second after which TCP
   * repeats a lost SYN (RFC 6298, section 2).
   */
  static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);

  private final AgentSettings settings;
  private final ClassicActorSystemProvider system;
  private final Executor blocking;
  private @Nullable Connection connection;

  /** The connection that was used last, kept open by the JDK's client. */
  private record Connection(
      Endpoint endpoint, ColonyTrust trust, Identity identity, ConnectClient client) {}

  /** One call to one endpoint. */
  private interface Call<T> {
    T to(Endpoint endpoint) throws RpcException;
  }

  RemoteColony(AgentSettings settings, ClassicActorSystemProvider system, Executor blocking) {
    this.settings = settings;
    this.system = system;
    this.blocking = blocking;
  }

  @Override
  public IssuedCertificate requestCertificate(
      List<Endpoint> endpoints, ColonyTrust trust, Order order) throws JoinException {
    RequestCertificateRequest request = message(order);
    Optional<Identity> own =
        order.payment() instanceof Payment.Certificate shown
            ? Optional.of(shown.identity())
            : Optional.empty();
    SSLContext tls = tls(trust, own);
    return first(
        endpoints,
        e -> RemoteFailure.ofPurchase(e, order.payment().refused()),
        endpoint -> {
          RequestCertificateResponse issued =
              client(endpoint, tls)
                  .call(REQUEST_CERTIFICATE, request, RequestCertificateResponse.parser());
          return new IssuedCertificate(
              issued.getCertificate().toStringUtf8(),
              issued.getCaCertificate().toStringUtf8(),
              issued.getCrossCertificates().toStringUtf8(),
              issued.getTrustBundleVersion(),
              issued.getDeprecationNotice());
        });
  }

  private RequestCertificateRequest message(Order order) {
    RequestCertificateRequest.Builder message =
        RequestCertificateRequest.newBuilder()
            .setAgentId(settings.agentId().value())
            .setCsr(ByteString.copyFromUtf8(order.request().pem()))
            .setRequestId(order.request().requestId());
    if (order.payment() instanceof Payment.Token paid) {
      message.setRegistrationToken(paid.token().reveal());
      if (settings.proxy().isPresent()) {
        message.setRole("proxy"); // who may read: an agent may not
      }
    } else if (order.payment() instanceof Payment.Invitation paid) {
      message.setInvitation(paid.secret().reveal());
    } else if (order.payment() instanceof Payment.ColonySecret paid) {
      message.setColonySecret(paid.secret().reveal());
    }
    order
        .proof()
        .ifPresent(
            proof ->
                message
                    .setPreviousCertificate(ByteString.copyFrom(proof.certificatePem()))
                    .setPreviousSignature(ByteString.copyFrom(proof.signature())));
    return message.build();
  }

  @Override
  public Secret invite(List<Endpoint> endpoints, ColonyTrust trust, Identity inviter)
      throws JoinException {
    SSLContext tls = tls(trust, Optional.of(inviter));
    CreateInvitationRequest request =
        CreateInvitationRequest.newBuilder()
            .setAgentId(settings.agentId().value())
            .setRole("proxy")
            .setTtl(
                com.google.protobuf.Duration.newBuilder().setSeconds(INVITATION_TTL.toSeconds()))
            .setUses(1)
            .build();
    String text =
        first(
            endpoints,
            RemoteFailure::ofInvitation,
            endpoint ->
                client(endpoint, tls)
                    .call(INVITE, request, CreateInvitationResponse.parser())
                    .getText());
    try {
      return InvitationText.parse(text).secret();
    } catch (IllegalArgumentException e) {
      throw new JoinException(
          Kind.REFUSED, "the colony's invitation makes no sense: " + e.getMessage(), e);
    }
  }

  @Override
  public Endpoint reach(List<Endpoint> endpoints, ColonyTrust trust, Identity identity)
      throws JoinException {
    return first(
        endpoints,
        e -> RemoteFailure.ofColony(e, Kind.CERTIFICATE_REFUSED),
        endpoint -> {
          connection(endpoint, trust, identity)
              .call(
                  GET_CA,
                  GetCACertificateRequest.getDefaultInstance(),
                  GetCACertificateResponse.parser());
          return endpoint;
        });
  }

  @Override
  public Membership register(
      Endpoint endpoint, ColonyTrust trust, Identity identity, WireGuardKey key, String requestId)
      throws JoinException {
    RegisterAgentResponse answer;
    try {
      answer =
          connection(endpoint, trust, identity)
              .call(
                  REGISTER,
                  RegisterAgentRequest.newBuilder()
                      .setAgentId(settings.agentId().value())
                      .setWireguardPubkey(key.toString())
                      .setRequestId(requestId)
                      .setComponentName(settings.componentName())
                      .build(),
                  RegisterAgentResponse.parser());
    } catch (RpcException e) {
      throw RemoteFailure.ofRegistration(e);
    }
    try {
      return membership(answer, endpoint);
    } catch (IllegalArgumentException e) {
      throw new JoinException(
          Kind.REFUSED,
          "the colony's answer to the registration makes no sense: " + e.getMessage(),
          e);
    }
  }

  @Override
  public void deregister(Endpoint endpoint, ColonyTrust trust, Identity identity)
      throws JoinException {
    try {
      connection(endpoint, trust, identity)
          .call(
              DEREGISTER,
              DeregisterAgentRequest.newBuilder().setAgentId(settings.agentId().value()).build(),
              DeregisterAgentResponse.parser());
    } catch (RpcException e) {
      throw RemoteFailure.ofRegistration(e);
    }
  }

  @Override
  public SessionStream openSession(
      Endpoint endpoint, ColonyTrust trust, Identity identity, Consumer<SessionMessage> listener) {
    return GrpcSession.open(
        endpoint, tls(trust, Optional.of(identity)), system, blocking, listener);
  }

  /** The answer of the first endpoint that answers; else what the most telling one says. */
  private static <T> T first(
      List<Endpoint> endpoints, Function<RpcException, JoinException> meaning, Call<T> call)
      throws JoinException {
    JoinException told = null;
    for (Endpoint endpoint : endpoints) {
      try {
        return call.to(endpoint);
      } catch (RpcException e) {
        JoinException failure = meaning.apply(e);
        if (told == null || told.failure().kind() == Kind.COLONY_UNREACHABLE) {
          told = failure;
        }
      }
    }
    throw told == null ? new JoinException(Kind.COLONY_UNKNOWN, "no endpoint to try") : told;
  }

  private synchronized ConnectClient connection(
      Endpoint endpoint, ColonyTrust trust, Identity identity) {
    Connection current = connection;
    if (current == null
        || !current.endpoint().equals(endpoint)
        || !current.trust().equals(trust)
        || !current.identity().equals(identity)) {
      current =
          new Connection(
              endpoint, trust, identity, client(endpoint, tls(trust, Optional.of(identity))));
      connection = current;
    }
    return current.client();
  }

  private ConnectClient client(Endpoint endpoint, SSLContext tls) {
    Duration connect =
        CONNECT_TIMEOUT.compareTo(settings.callTimeout()) < 0
            ? CONNECT_TIMEOUT
            : settings.callTimeout();
    return ConnectClient.https(endpoint, tls, connect, settings.callTimeout());
  }

  private SSLContext tls(ColonyTrust trust, Optional<Identity> own) {
    return trust.tls(
        settings.colonyId(),
        own.map(identity -> new ClientCertificate(identity.key(), identity.chain())));
  }

  /**
   * @throws IllegalArgumentException if a field is malformed or contradicts another
   */
  static Membership membership(RegisterAgentResponse answer, Endpoint reached) {
    MeshSubnet subnet = MeshSubnet.parse(answer.getMeshSubnetIpv4(), answer.getMeshSubnetIpv6());
    MeshAddresses own = addresses(subnet, answer.getAssignedIp(), answer.getAssignedIpv6());
    MeshAddresses colony =
        addresses(subnet, answer.getColonyMeshIpv4(), answer.getColonyMeshIpv6());
    com.google.protobuf.Duration interval = answer.getHeartbeatInterval();
    List<Endpoint> endpoints =
        answer.getColonyEndpointsList().stream()
            .map(text -> reachable(Endpoint.parse(text), reached))
            .distinct()
            .toList();
    return new Membership(
        own,
        subnet,
        colony,
        WireGuardKey.parse(answer.getColonyWireguardPubkey()),
        endpoints,
        Duration.ofSeconds(interval.getSeconds(), interval.getNanos()),
        answer.getMtu());
  }

  /** A colony that listens on every address and knows no better is where it was reached. */
  private static Endpoint reachable(Endpoint endpoint, Endpoint reached) {
    boolean unspecified = endpoint.host().equals("0.0.0.0") || endpoint.host().equals("::");
    return unspecified ? new Endpoint(reached.host(), endpoint.port()) : endpoint;
  }

  private static MeshAddresses addresses(MeshSubnet subnet, String ipv4, String ipv6) {
    InetAddress address = IpPrefix.parseAddress(ipv4);
    if (!subnet.ipv4().contains(address)) {
      throw new IllegalArgumentException(ipv4 + " is not in " + subnet.ipv4());
    }
    int hostNumber =
        ByteBuffer.wrap(address.getAddress()).getInt()
            - ByteBuffer.wrap(subnet.ipv4().address().getAddress()).getInt();
    MeshAddresses addresses = subnet.addresses(hostNumber);
    if (!addresses.ipv6().equals(IpPrefix.parseAddress(ipv6))) {
      throw new IllegalArgumentException(ipv6 + " does not belong to " + ipv4);
    }
    return addresses;
  }
}
