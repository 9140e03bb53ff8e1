package coral.colony;

import com.google.protobuf.ByteString;
import coral.address.Allocation;
import coral.address.Registrant;
import coral.api.mesh.v1.AgentMessage;
import coral.api.mesh.v1.ColonyMessage;
import coral.api.mesh.v1.DeregisterAgentRequest;
import coral.api.mesh.v1.DeregisterAgentResponse;
import coral.api.mesh.v1.HeartbeatReceived;
import coral.api.mesh.v1.MeshChanged;
import coral.api.mesh.v1.MeshService;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.api.mesh.v1.RenewCertificate;
import coral.api.mesh.v1.SessionClosed;
import coral.api.mesh.v1.SessionOpened;
import coral.api.mesh.v1.TrustBundle;
import coral.model.AgentId;
import coral.model.AuditEvent;
import coral.model.AuditSink;
import coral.model.Authentication;
import coral.model.Failure;
import coral.model.MeshAddresses;
import coral.model.RefusedException;
import coral.model.WireGuardKey;
import coral.rpc.Caller;
import coral.rpc.FailureStatus;
import coral.rpc.Role;
import coral.session.CloseReason;
import coral.session.Notice;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;

/** {@code MeshService} for one call of one caller, whom the authorisation table has let pass. */
final class MeshEdge implements MeshService {
  private final Caller caller;
  private final Registration registration;
  private final LegacyRegistration legacy;
  private final AllocatorClient allocator;
  private final SessionStreams streams;
  private final MeshView mesh;
  private final TrustNotices trust;
  private final RootRotation rotation;
  private final ColonyMetrics metrics;
  private final AuditSink sink;
  private final AgentMessages messages;

  MeshEdge(
      Caller caller,
      Registration registration,
      LegacyRegistration legacy,
      AllocatorClient allocator,
      SessionStreams streams,
      MeshView mesh,
      TrustNotices trust,
      RootRotation rotation,
      ColonyMetrics metrics,
      AuditSink sink) {
    this.caller = caller;
    this.registration = registration;
    this.legacy = legacy;
    this.allocator = allocator;
    this.streams = streams;
    this.mesh = mesh;
    this.trust = trust;
    this.rotation = rotation;
    this.metrics = metrics;
    this.sink = sink;
    this.messages = new AgentMessages(mesh.subnet(), trust);
  }

  @Override
  public CompletionStage<RegisterAgentResponse> register(RegisterAgentRequest request) {
    return CompletableFuture.completedStage(request)
        .thenCompose(
            asked ->
                caller.role() == Role.ANYONE
                    ? registerWithoutCertificate(asked)
                    : registerWithCertificate(asked))
        .whenComplete(
            (accepted, failure) -> {
              Optional<Failure> why = Optional.ofNullable(failure).map(FailureStatus::failure);
              metrics.registered(shown(request), why);
              if (failure != null) {
                refused(request, failure);
              }
            });
  }

  /** What is refused leaves a record; what failed without a decision does not. */
  private void refused(RegisterAgentRequest request, Throwable failure) {
    if (FailureStatus.unwrap(failure) instanceof RefusedException refusal) {
      String agentId = caller.name().orElse(request.getAgentId());
      sink.record(
          AuditMapping.by(caller, AuditEvent.Kind.REGISTRATION_REFUSED)
              .about(agentId)
              .request(request.getRequestId())
              .detail(refusal.refused().message()));
    }
  }

  /** What the caller has shown of itself, whether it is any good or not. */
  private Optional<Authentication> shown(RegisterAgentRequest request) {
    if (caller.role() != Role.ANYONE) {
      return Optional.of(Authentication.CERTIFICATE);
    }
    if (!request.getRegistrationToken().isEmpty()) {
      return Optional.of(Authentication.TOKEN);
    }
    return request.getColonySecret().isEmpty()
        ? Optional.empty()
        : Optional.of(Authentication.COLONY_SECRET);
  }

  private CompletionStage<RegisterAgentResponse> registerWithCertificate(
      RegisterAgentRequest request) {
    AgentId agentId = self();
    if (!request.getRegistrationToken().isEmpty() || !request.getColonySecret().isEmpty()) {
      throw new RefusedException(
          Failure.FAILED_PRECONDITION,
          "Register takes the client certificate alone: leave registration_token and"
              + " colony_secret empty, and buy a certificate with RequestCertificate");
    }
    requireSelf(request.getAgentId(), agentId);
    WireGuardKey key = Requests.wireGuardKey(request.getWireguardPubkey());
    String requestId = Requests.requestId(request.getRequestId());
    Registrant registrant =
        Registrant.certified(Requests.componentName(request.getComponentName()))
            .from(AuthorityClient.source(caller));
    return registration
        .register(agentId, caller.certificate(), key, requestId, registrant)
        .thenApply(allocation -> accepted(allocation, requestId, ""));
  }

  private CompletionStage<RegisterAgentResponse> registerWithoutCertificate(
      RegisterAgentRequest request) {
    WireGuardKey key = Requests.wireGuardKey(request.getWireguardPubkey());
    // Agents of the token draft know of no request id.
    String requestId = Requests.optionalRequestId(request.getRequestId());
    String componentName = Requests.componentName(request.getComponentName());
    return legacy
        .admit(caller, request, key, componentName)
        .thenCompose(
            admitted ->
                registration
                    .register(
                        admitted.agentId(),
                        Optional.empty(),
                        key,
                        requestId,
                        admitted.registrant().from(AuthorityClient.source(caller)))
                    .thenApply(allocation -> accepted(allocation, requestId, admitted.notice())));
  }

  private RegisterAgentResponse accepted(Allocation allocation, String requestId, String notice) {
    MeshAddresses own = mesh.subnet().addresses(allocation.hostNumber());
    MeshAddresses colony = mesh.subnet().colony();
    return RegisterAgentResponse.newBuilder()
        .setAccepted(true)
        .setAssignedIp(own.ipv4Text())
        .setAssignedIpv6(own.ipv6Text())
        .setMeshSubnetIpv4(mesh.subnet().ipv4().toString())
        .setMeshSubnetIpv6(mesh.subnet().ipv6().toString())
        .setColonyWireguardPubkey(mesh.wireGuardKey().toString())
        .addAllColonyEndpoints(mesh.endpointTexts())
        .setColonyMeshIpv4(colony.ipv4Text())
        .setColonyMeshIpv6(colony.ipv6Text())
        .setHeartbeatInterval(Protobuf.duration(mesh.heartbeatInterval()))
        .setMtu(mesh.mtu())
        .setRequestId(requestId)
        .setDeprecationNotice(notice)
        .build();
  }

  @Override
  public CompletionStage<DeregisterAgentResponse> deregister(DeregisterAgentRequest request) {
    AgentId agentId;
    if (!caller.role().isMember()) {
      agentId = Requests.agentId(request.getAgentId());
    } else {
      agentId = self();
      requireSelf(request.getAgentId(), agentId);
    }
    return registration
        .deregister(agentId, caller)
        .thenApply(
            released -> {
              trust.forget(agentId);
              MeshAddresses addresses = mesh.subnet().addresses(released.hostNumber());
              return DeregisterAgentResponse.newBuilder()
                  .setReleasedIp(addresses.ipv4Text())
                  .setReleasedIpv6(addresses.ipv6Text())
                  .build();
            });
  }

  @Override
  public Source<ColonyMessage, NotUsed> session(Source<AgentMessage, NotUsed> incoming) {
    AgentId agentId = self();
    streams.requireOpen();
    X509Certificate certificate = caller.certificate().orElseThrow(MeshEdge::noCertificate);
    CompletionStage<Source<ColonyMessage, NotUsed>> opened =
        allocator
            .find(agentId)
            .handle(
                (allocation, failure) -> {
                  if (failure != null) {
                    throw notAMember(failure);
                  }
                  return streams
                      .open(
                          agentId,
                          certificate,
                          incoming,
                          (stream, message) -> messages.read(agentId, stream, message))
                      .mapConcat(notice -> messages(agentId, certificate, notice));
                });
    return Source.completionStageSource(opened)
        .mapMaterializedValue(ignored -> NotUsed.getInstance());
  }

  private static RuntimeException notAMember(Throwable failure) {
    return FailureStatus.failure(failure) == Failure.NOT_FOUND
        ? new RefusedException(
            Failure.FAILED_PRECONDITION, "this agent holds no address: call Register first")
        : FailureStatus.exception(failure);
  }

  private List<ColonyMessage> messages(
      AgentId agentId, X509Certificate certificate, Notice notice) {
    if (notice instanceof Notice.Opened opened) {
      // Between the question whether the agent holds an address and this session's start the
      // address may have been released.
      allocator
          .find(agentId)
          .whenComplete(
              (allocation, failure) -> {
                if (failure != null && FailureStatus.failure(failure) == Failure.NOT_FOUND) {
                  streams.deregister(agentId);
                }
              });
      trust.opened(agentId, certificate);
      List<ColonyMessage> first = new ArrayList<>();
      first.add(
          ColonyMessage.newBuilder()
              .setSessionOpened(
                  SessionOpened.newBuilder()
                      .setGeneration(opened.generation())
                      .setHeartbeatInterval(Protobuf.duration(opened.heartbeatInterval())))
              .build());
      // An agent that comes back after the colony was started with other endpoints learns of them
      // here, without registering again.
      first.add(
          ColonyMessage.newBuilder()
              .setMeshChanged(
                  MeshChanged.newBuilder()
                      .setColonyWireguardPubkey(mesh.wireGuardKey().toString())
                      .addAllColonyEndpoints(mesh.endpointTexts()))
              .build());
      // One that was away while the roots changed learns of them here.
      first.add(message(trust.present()));
      if (rotation.mustRenew(certificate)) {
        first.add(renew());
      }
      return first;
    }
    if (notice instanceof Notice.TrustBundle bundle) {
      return List.of(message(bundle));
    }
    if (notice instanceof Notice.RenewCertificate) {
      return List.of(renew());
    }
    if (notice instanceof Notice.HeartbeatReceived received) {
      return List.of(
          ColonyMessage.newBuilder()
              .setHeartbeatReceived(HeartbeatReceived.newBuilder().setSequence(received.sequence()))
              .build());
    }
    CloseReason reason = ((Notice.Closed) notice).reason();
    return List.of(
        ColonyMessage.newBuilder()
            .setSessionClosed(SessionClosed.newBuilder().setReason(reason(reason)))
            .build());
  }

  private static ColonyMessage renew() {
    return ColonyMessage.newBuilder()
        .setRenewCertificate(RenewCertificate.getDefaultInstance())
        .build();
  }

  private static ColonyMessage message(Notice.TrustBundle bundle) {
    return ColonyMessage.newBuilder()
        .setTrustBundle(
            TrustBundle.newBuilder()
                .setVersion(bundle.version())
                .setCertificates(ByteString.copyFromUtf8(bundle.certificates()))
                .setCrossCertificates(ByteString.copyFromUtf8(bundle.crossCertificates())))
        .build();
  }

  private static SessionClosed.Reason reason(CloseReason reason) {
    return switch (reason) {
      case SUPERSEDED -> SessionClosed.Reason.SUPERSEDED;
      case DEREGISTERED -> SessionClosed.Reason.DEREGISTERED;
      case RESYNC -> SessionClosed.Reason.RESYNC;
      case COLONY_STOPPING -> SessionClosed.Reason.COLONY_STOPPING;
      case REVOKED -> SessionClosed.Reason.REVOKED;
      case CERTIFICATE_SUPERSEDED -> SessionClosed.Reason.CERTIFICATE_SUPERSEDED;
    };
  }

  private AgentId self() {
    return new AgentId(caller.name().orElseThrow(MeshEdge::noCertificate));
  }

  private static RefusedException noCertificate() {
    return new RefusedException(Failure.UNAUTHENTICATED, "this call needs an agent's certificate");
  }

  private static void requireSelf(String named, AgentId self) {
    if (!named.isEmpty() && !named.equals(self.value())) {
      throw new RefusedException(
          Failure.PERMISSION_DENIED,
          "the certificate is that of " + self + ", the request names another agent");
    }
  }
}
