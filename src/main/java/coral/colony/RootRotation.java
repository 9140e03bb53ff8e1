package coral.colony;

import com.google.protobuf.ByteString;
import coral.address.Allocation;
import coral.api.colony.v1.GetAuthorityStatusResponse;
import coral.certificate.Authority;
import coral.certificate.AuthorityRotation;
import coral.certificate.CertificateIndex;
import coral.certificate.IdentityState;
import coral.certificate.RevocationList;
import coral.certificate.RevocationLists;
import coral.certificate.RevocationSource;
import coral.certificate.RotationPhase;
import coral.model.AgentId;
import coral.model.AuditEvent;
import coral.model.AuditSink;
import coral.model.Failure;
import coral.model.Fingerprint;
import coral.model.RefusedException;
import coral.rpc.Caller;
import coral.session.Notice;
import java.io.IOException;
import java.math.BigInteger;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The colony's own keys as its operators see them, and the replacement of the root: how far the
 * agents are, what they are told, and the next step.
 *
 * <p>An agent has to follow if its identity is good and it holds an address, or a certificate that
 * has not ended. What is known of how far it is comes from its session, so that one that has not
 * come back since the colony started, or has never come, counts as missing.
 */
final class RootRotation {
  private static final Logger log = LoggerFactory.getLogger(RootRotation.class);

  private final Authority authority;
  private final AuthorityRotation rotation;
  private final CertificateIndex certificates;
  private final RevocationLists lists;
  private final TrustNotices trust;
  private final SessionStreams streams;
  private final AllocatorClient allocator;
  private final AuditSink sink;
  private final Executor blocking;

  RootRotation(
      Authority authority,
      AuthorityRotation rotation,
      CertificateIndex certificates,
      RevocationLists lists,
      TrustNotices trust,
      SessionStreams streams,
      AllocatorClient allocator,
      AuditSink sink,
      Executor blocking) {
    this.authority = authority;
    this.rotation = rotation;
    this.certificates = certificates;
    this.lists = lists;
    this.trust = trust;
    this.streams = streams;
    this.allocator = allocator;
    this.sink = sink;
    this.blocking = blocking;
  }

  /** Tells the agents of every change of the roots, from now on. */
  void follow() {
    authority.onChange(this::tellAgents);
  }

  private void tellAgents() {
    streams.tellAll(trust.present());
    if (rotation.phase() == RotationPhase.DRAINING) {
      streams.tellAll(
          certificate -> !trust.isOfActiveRoot(certificate), new Notice.RenewCertificate());
    }
  }

  /** Whether an agent that opens a session with this certificate has to renew it at once. */
  boolean mustRenew(X509Certificate certificate) {
    return rotation.phase() == RotationPhase.DRAINING && !trust.isOfActiveRoot(certificate);
  }

  /** How far everything is. */
  CompletionStage<GetAuthorityStatusResponse> status(boolean withLists) {
    return fleet().thenApplyAsync(fleet -> status(fleet, withLists), blocking);
  }

  /**
   * Goes one step.
   *
   * @return fails with FAILED_PRECONDITION if agents are missing or a key is out of reach; then
   *     nothing has changed
   */
  CompletionStage<GetAuthorityStatusResponse> rotate(Caller caller, boolean back, boolean force) {
    AuditEvent event =
        AuditMapping.by(caller, AuditEvent.Kind.AUTHORITY_CHANGED)
            .detail("asks for a step " + (back ? "back" : force ? "forward, by force" : "forward"));
    return sink.recorded(event)
        .thenCompose(recorded -> fleet())
        .thenApplyAsync(fleet -> step(fleet, back, force), blocking)
        .thenCompose(phase -> status(false));
  }

  private RotationPhase step(AuthorityRotation.Fleet fleet, boolean back, boolean force) {
    try {
      RotationPhase phase = back ? rotation.back() : rotation.forward(fleet, force);
      log.info("The rotation of the root is in phase {}", phase);
      return phase;
    } catch (IOException e) {
      log.error("The rotation of the root stays in phase {}", rotation.phase(), e);
      throw new RefusedException(
          Failure.FAILED_PRECONDITION,
          "the rotation stays as it is: a key is out of reach or cannot be written, see the"
              + " colony's log");
    }
  }

  private CompletionStage<AuthorityRotation.Fleet> fleet() {
    return allocator
        .all()
        .thenApply(
            allocations -> {
              Set<AgentId> agents = new HashSet<>(certificates.certifiedMembers());
              allocations.stream()
                  .map(Allocation::agentId)
                  .filter(this::hasToFollow)
                  .forEach(agents::add);
              return new AuthorityRotation.Fleet(
                  agents.size(), trust.haveTaken(agents), trust.areOnActiveRoot(agents));
            });
  }

  private boolean hasToFollow(AgentId agentId) {
    return certificates
        .identity(agentId)
        .filter(identity -> identity.state() == IdentityState.ACTIVE)
        .isPresent();
  }

  private GetAuthorityStatusResponse status(AuthorityRotation.Fleet fleet, boolean withLists) {
    GetAuthorityStatusResponse.Builder status =
        GetAuthorityStatusResponse.newBuilder()
            .setTrustBundleVersion(authority.trustBundle().version())
            .setAgents(fleet.agents())
            .setAgentsWithBundle(fleet.withBundle())
            .setAgentsOnActiveRoot(fleet.onActiveRoot())
            .setRotation(rotation.phase().name().toLowerCase(java.util.Locale.ROOT));
    RevocationSource revocations = certificates.revocations();
    long revoked = 0;
    for (AuthorityRotation.Standing standing : rotation.authorities()) {
      X509Certificate certificate = standing.certificate();
      status.addAuthorities(
          coral.api.colony.v1.Authority.newBuilder()
              .setKind(standing.kind())
              .setState(standing.state())
              .setSubject(certificate.getSubjectX500Principal().getName())
              .setFingerprint(fingerprint(certificate))
              .setExpiresAt(Protobuf.timestamp(certificate.getNotAfter().toInstant()))
              .setKeyOnline(standing.keyOnline()));
      revoked += revocations.revoked(certificate.getSubjectX500Principal()).size();
    }
    BigInteger number = BigInteger.ZERO;
    for (RevocationList list : lists.all()) {
      number = number.max(list.number());
      if (withLists) {
        status.addRevocationLists(
            coral.api.colony.v1.RevocationList.newBuilder()
                .setIssuerFingerprint(fingerprint(list.issuer()))
                .setCrl(ByteString.copyFrom(list.der())));
      }
    }
    return status.setCrlNumber(number.longValue()).setRevokedCertificates(revoked).build();
  }

  private static String fingerprint(X509Certificate certificate) {
    try {
      return Fingerprint.of(certificate.getEncoded()).value();
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException("a certificate without an encoding", e);
    }
  }
}
