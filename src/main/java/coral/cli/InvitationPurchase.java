package coral.cli;

import com.google.protobuf.ByteString;
import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.GetStatusResponse;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.colony.v1.RequestCertificateResponse;
import coral.certificate.Identity;
import coral.certificate.TrustBundle;
import coral.certificate.TrustSuccession;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import coral.model.InvitationText;
import coral.model.MeshSubnet;
import coral.rpc.CallerIdentity;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Buys a certificate for a person with an invitation. The key is on disk before the colony sees it,
 * outside of the context that is not yet there: if the answer is lost, the same command with the
 * same invitation gets it, because the colony answers the same key in the same way.
 */
final class InvitationPurchase {
  /** Signing takes the colony a moment, and the way may be long. */
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);

  /** Of {@link AgentId}. */
  private static final int MAX_NAME_LENGTH = 63;

  /** Roles of people; others join the mesh. */
  private static final Set<String> ROLES = Set.of("viewer", "operator");

  private final CoralHome home;
  private final InstantSource clock;

  InvitationPurchase(CoralHome home, InstantSource clock) {
    this.home = home;
    this.clock = clock;
  }

  /**
   * A context with a certificate of the invitation's role.
   *
   * @param chosen the name to take if the invitation names none
   * @throws CommandFailedException if the invitation is for something else, or the colony refuses,
   *     cannot be reached or is not believed
   */
  PortableContext buy(InvitationText invitation, Optional<AgentId> chosen) throws IOException {
    if (!ROLES.contains(invitation.role())) {
      throw new CommandFailedException(
          "this invitation is for role " + invitation.role() + ", not for somebody who asks",
          invitation.role().equals("proxy")
              ? "Use it with 'coral proxy start --invitation'."
              : "Use it with 'coral connect'.");
    }
    AgentId name = name(invitation, chosen);
    PendingKey pending = PendingKey.of(home, invitation.colonyId(), name);
    RequestCertificateRequest request =
        RequestCertificateRequest.newBuilder()
            .setAgentId(name.value())
            .setInvitation(invitation.secret().reveal())
            .setRequestId(pending.requestId())
            .setCsr(ByteString.copyFromUtf8(pending.request()))
            .build();
    SSLContext tls =
        ClientTls.pinned(
            invitation.caFingerprint(), colonyUri(invitation.colonyId()), Optional.empty());
    RpcException unreachable = null;
    for (Endpoint endpoint : endpoints(invitation)) {
      try {
        RequestCertificateResponse issued =
            client(endpoint, tls)
                .call(
                    Services.COLONY + "RequestCertificate",
                    request,
                    RequestCertificateResponse.parser());
        return context(invitation, name, pending.key(), issued, endpoint);
      } catch (RpcException e) {
        if (e.reason() == RpcException.Reason.REFUSED) {
          PendingKey.forget(home, invitation.colonyId());
          throw refused(invitation, name, e);
        }
        unreachable = e;
      }
    }
    throw unreachable(invitation, unreachable);
  }

  private static String colonyUri(ColonyId colony) {
    return "spiffe://" + colony + "/colony";
  }

  private static ConnectClient client(Endpoint endpoint, SSLContext tls) {
    return ConnectClient.https(endpoint, tls, CONNECT_TIMEOUT, TIMEOUT);
  }

  private static AgentId name(InvitationText invitation, Optional<AgentId> chosen) {
    if (invitation.agentId().isPresent()) {
      AgentId only = invitation.agentId().get();
      if (chosen.isPresent() && !chosen.get().equals(only)) {
        throw new CommandFailedException(
            "this invitation is for " + only + ", not for " + chosen.get(), "Leave --name out.");
      }
      return only;
    }
    return chosen.orElseGet(InvitationPurchase::userAndHost);
  }

  private static AgentId userAndHost() {
    String host;
    try {
      host = InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      host = "localhost";
    }
    String text =
        (System.getProperty("user.name") + "-" + host)
            .toLowerCase(Locale.ROOT)
            .replaceAll("[^a-z0-9._-]", "-")
            .replaceFirst("^[^a-z0-9]+", "");
    try {
      return new AgentId(text.substring(0, Math.min(text.length(), MAX_NAME_LENGTH)));
    } catch (IllegalArgumentException e) {
      throw new CommandFailedException(
          "the names of user and host make no name in the colony", "Choose one with --name.", e);
    }
  }

  /** Those of the invitation, and what discovery adds if the colony has moved. */
  private static List<Endpoint> endpoints(InvitationText invitation) {
    Set<Endpoint> endpoints = new LinkedHashSet<>(invitation.endpoints());
    if (invitation.discovery().isPresent()) {
      try {
        endpoints.addAll(
            new DiscoveryQuery(invitation.discovery().get(), CONNECT_TIMEOUT)
                .find(invitation.colonyId()));
      } catch (RpcException e) {
        return List.copyOf(endpoints); // the invitation says enough, or nobody does
      }
    }
    return List.copyOf(endpoints);
  }

  /** What the colony sent, believed: under the pinned root, for this name and this key. */
  private PortableContext context(
      InvitationText invitation,
      AgentId name,
      PrivateKey key,
      RequestCertificateResponse issued,
      Endpoint reached) {
    try {
      List<X509Certificate> roots = Pem.certificates(issued.getCaCertificate().toByteArray());
      byte[] cross = issued.getCrossCertificates().toByteArray();
      TrustBundle offered =
          new TrustBundle(
              Math.max(1, issued.getTrustBundleVersion()),
              roots,
              cross.length == 0 ? List.of() : Pem.certificates(cross));
      Instant now = clock.instant();
      requirePinned(invitation.caFingerprint(), offered, now);
      Identity identity =
          new Identity(key, Pem.certificates(issued.getCertificate().toByteArray()));
      requireOurs(invitation, name, identity, roots, now);
      return new PortableContext(
          new ContextRecord(
              invitation.colonyId(),
              endpoints(reached, invitation),
              invitation.discovery(),
              mesh(invitation.colonyId(), roots, identity, reached)),
          roots,
          Optional.of(identity));
    } catch (IllegalArgumentException | GeneralSecurityException e) {
      throw new CommandFailedException(
          "colony "
              + invitation.colonyId()
              + " sent a certificate that is not to be believed: "
              + e.getMessage(),
          "Nothing was stored. Compare the fingerprint of the invitation with that of the colony.",
          e);
    }
  }

  /** The one that answered comes first. */
  private static List<Endpoint> endpoints(Endpoint reached, InvitationText invitation) {
    Set<Endpoint> endpoints = new LinkedHashSet<>(List.of(reached));
    endpoints.addAll(invitation.endpoints());
    return List.copyOf(endpoints);
  }

  private static void requirePinned(Fingerprint pin, TrustBundle offered, Instant now)
      throws CertificateEncodingException {
    List<X509Certificate> trusted = new ArrayList<>();
    for (X509Certificate root : offered.roots()) {
      if (Fingerprint.of(root.getEncoded()).equals(pin)) {
        trusted.add(root);
      }
    }
    if (trusted.isEmpty()) {
      throw new IllegalArgumentException("none of its roots is " + pin);
    }
    Optional<String> objection = TrustSuccession.unvouched(trusted, offered, now);
    if (objection.isPresent()) {
      throw new IllegalArgumentException(objection.get());
    }
  }

  /** RFC 5280, sections 4.2.1.6 and 6. */
  private static void requireOurs(
      InvitationText invitation,
      AgentId name,
      Identity identity,
      List<X509Certificate> roots,
      Instant now)
      throws GeneralSecurityException {
    String expected =
        "spiffe://" + invitation.colonyId() + "/" + invitation.role() + "/" + name.value();
    List<String> uris = CallerIdentity.uris(identity.certificate());
    if (!uris.equals(List.of(expected))) {
      throw new IllegalArgumentException("it is that of " + uris + ", not of " + expected);
    }
    PKIXParameters parameters =
        new PKIXParameters(
            roots.stream().map(root -> new TrustAnchor(root, null)).collect(Collectors.toSet()));
    parameters.setRevocationEnabled(false); // it is new
    // The clock here may be slow; the colony judges by its own.
    Instant begin = identity.certificate().getNotBefore().toInstant();
    parameters.setDate(Date.from(begin.isAfter(now) ? begin : now));
    CertPathValidator.getInstance("PKIX")
        .validate(
            CertificateFactory.getInstance("X.509").generateCertPath(identity.chain()), parameters);
  }

  /** The first question with the new certificate; that it is not answered is no reason to fail. */
  private static Optional<MeshSubnet> mesh(
      ColonyId colony, List<X509Certificate> roots, Identity identity, Endpoint endpoint) {
    SSLContext tls =
        ClientTls.trusting(
            roots,
            colonyUri(colony),
            Optional.of(new ClientCertificate(identity.key(), identity.chain())));
    try {
      GetStatusResponse status =
          client(endpoint, tls)
              .call(
                  Services.COLONY + "GetStatus",
                  GetStatusRequest.getDefaultInstance(),
                  GetStatusResponse.parser());
      return Optional.of(MeshSubnet.parse(status.getMeshSubnetIpv4(), status.getMeshSubnetIpv6()));
    } catch (RpcException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static CommandFailedException refused(
      InvitationText invitation, AgentId name, RpcException e) {
    String next =
        switch (e.failure()) {
          case AGENT_ID_TAKEN ->
              invitation.agentId().isPresent()
                  ? "Ask for an invitation with another name, or for 'coral agent allow-rebind "
                      + name
                      + "'."
                  : "Choose another name with --name.";
          case LIMIT_REACHED -> "Try again later.";
          case STORE_UNAVAILABLE, NOT_READY -> "Try again.";
          default -> "Ask for another invitation: 'coral invite --role " + invitation.role() + "'.";
        };
    return new CommandFailedException(
        "colony "
            + invitation.colonyId()
            + " refuses: "
            + Table.printable(String.valueOf(e.getMessage())),
        next,
        e);
  }

  private static CommandFailedException unreachable(
      InvitationText invitation, @Nullable RpcException last) {
    String message =
        "colony "
            + invitation.colonyId()
            + " cannot be asked: "
            + (last == null ? "the invitation names no place" : last.getMessage());
    String next =
        "The invitation is not used up: import it again when the colony answers at one of "
            + invitation.endpoints()
            + ".";
    return last == null
        ? new CommandFailedException(message, next)
        : new CommandFailedException(message, next, last);
  }
}
