package coral.colony;

import coral.address.Allocation;
import coral.api.colony.v1.AuditService;
import coral.api.colony.v1.AuditServiceHandlerFactory;
import coral.api.colony.v1.CertificateService;
import coral.api.colony.v1.CertificateServiceHandlerFactory;
import coral.api.colony.v1.ColonyService;
import coral.api.colony.v1.ColonyServiceHandlerFactory;
import coral.api.colony.v1.InvitationService;
import coral.api.colony.v1.InvitationServiceHandlerFactory;
import coral.api.colony.v1.SecretService;
import coral.api.colony.v1.SecretServiceHandlerFactory;
import coral.api.mesh.v1.MeshService;
import coral.api.mesh.v1.MeshServiceHandlerFactory;
import coral.certificate.Authority;
import coral.certificate.AuthorityRotation;
import coral.certificate.Identity;
import coral.certificate.RevocationLists;
import coral.model.AuditSink;
import coral.rpc.CallerIdentity;
import coral.rpc.RpcAuthorization;
import coral.rpc.RpcServer;
import coral.rpc.ServerTls;
import coral.rpc.reference.ApiReference;
import coral.session.AgentSession;
import coral.storage.DuckDbFile;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.http.javadsl.ServerBinding;

/** The colony's one port: its services, who is let in, and the limits of what they may send. */
final class ColonyServer {
  /** Ten silent intervals end a session; a stream that says nothing for longer has none. */
  private static final int STREAM_IDLE_INTERVALS = 11;

  /**
   * A request for a certificate carries at most 16 KiB of PEM, a token of 4 KiB and a former
   * certificate of 8 KiB, and a stranger may send it.
   */
  private static final int MAX_CERTIFICATE_REQUEST_BYTES = 32 << 10;

  /** A message without fields has no bytes in protobuf, but braces and blanks in JSON. */
  private static final int MAX_EMPTY_REQUEST_BYTES = 64;

  private final ColonySettings settings;
  private final Authority authority;
  private final ColonyActors actors;
  private final MeshView mesh;
  private final ServerTls tls;

  ColonyServer(
      ColonySettings settings,
      Identity identity,
      Authority authority,
      ColonyActors actors,
      MeshView mesh) {
    this.settings = settings;
    this.authority = authority;
    this.actors = actors;
    this.mesh = mesh;
    this.tls =
        ServerTls.trusting(
            identity.key(),
            identity.chain(),
            () -> authority.trustBundle().roots(),
            actors.certificates()::acceptsHandshake);
  }

  /** Shows this identity from the next connection on. */
  void show(Identity identity) {
    tls.replace(identity.key(), identity.chain());
  }

  /**
   * What the services are made of, beside the actors.
   *
   * @param announcementProblem why discovery does not know the colony, if it does not
   */
  record Parts(
      Hub hub,
      SessionStreams streams,
      Issuance issuance,
      LegacyRegistration legacy,
      SecretReplacement secret,
      InvitationEdge.Colony invitations,
      DuckDbFile file,
      ColonyTables tables,
      RevocationLists lists,
      Readiness readiness,
      Supplier<Optional<String>> announcementProblem,
      ColonyAudit audit,
      AdministratorFiles administrator,
      InstantSource clock) {}

  /** Opens the port. */
  CompletionStage<ServerBinding> bind(Parts parts) {
    ColonyMetrics metrics = ColonyMetrics.of(actors.system());
    tls.onRefusal(metrics::refused);
    RpcServer server = server(parts, metrics);
    new Expulsion(
            actors.certificates(),
            (agentId, expel) ->
                actors.sharding().entityRefFor(AgentSession.TYPE, agentId.value()).tell(expel),
            parts.hub()::remove,
            (name, ended) ->
                name.map(known -> server.closeConnections(known, ended))
                    .orElseGet(() -> server.closeConnections(ended)),
            actors.system())
        .follow();
    return server.bind(settings.listenHost(), settings.listenPort(), Optional.of(tls));
  }

  private RpcServer server(Parts parts, ColonyMetrics metrics) {
    AuthorityClient authorityClient = actors.authority();
    Registration registration =
        new Registration(
            actors.allocator(),
            parts.hub(),
            actors.certificates(),
            mesh.wireGuardKey(),
            actors.sharding(),
            actors.directory(),
            settings.heartbeatInterval(),
            parts.clock(),
            parts.audit().sink(),
            actors.system());
    AuditReading auditReading = parts.audit().reading();
    AgentOverview agents =
        new AgentOverview(
            actors.allocator(),
            actors.directory(),
            actors.certificates(),
            parts.tables().allocations(),
            settings.heartbeatInterval(),
            parts.clock(),
            actors.blocking(),
            actors.system());
    AddressEdge addresses = new AddressEdge(actors.allocator(), agents, mesh.subnet());
    ColonyStatus status =
        new ColonyStatus(
            settings,
            mesh,
            authority::fingerprint,
            parts.file(),
            auditReading.table(),
            parts.readiness(),
            parts.announcementProblem(),
            actors.allocator(),
            agents,
            parts.clock(),
            actors.blocking());
    AgentMapping mapping = new AgentMapping(mesh, parts.hub());
    Topology topology =
        new Topology(
            settings,
            agents,
            mapping,
            mesh,
            parts.hub(),
            actors.connections(),
            parts.clock(),
            actors.system());
    AgentWatch watch =
        new AgentWatch(changes(parts, agents, mapping), agents, mapping, actors.system());
    AgentPing ping =
        new AgentPing(
            agentId -> actors.allocator().find(agentId).thenApply(Allocation::hostNumber),
            mesh.subnet(),
            parts.hub().device()::echo,
            ColonyActors.pinging(actors.system()));
    metrics.watch(new ColonyMetrics.Sources(actors.allocator()::usage, agents::connected));
    Revocation revocation =
        new Revocation(
            authorityClient,
            new AdministratorNumbers(
                actors.certificates(), parts.administrator(), actors.blocking()));
    TrustNotices trust = new TrustNotices(authority);
    RootRotation rotation =
        new RootRotation(
            authority,
            new AuthorityRotation(authority, settings.authority().keyType(), parts.clock()),
            actors.certificates(),
            parts.lists(),
            trust,
            parts.streams(),
            actors.allocator(),
            parts.audit().sink(),
            actors.blocking());
    rotation.follow();
    AdministratorRenewal administrator =
        new AdministratorRenewal(
            settings.colonyId(),
            parts.administrator(),
            actors.certificates(),
            authorityClient,
            parts.audit().sink(),
            actors.blocking());
    return RpcServer.builder(
            actors.system(),
            CallerIdentity.ofColony(
                settings.colonyId(),
                certificate -> isHolderAccepted(certificate, administrator),
                actors.certificates()::accepts,
                parts.clock()),
            authorization(parts.audit().sink()))
        .service(
            MeshService.class,
            MeshService.description,
            caller ->
                new MeshEdge(
                    caller,
                    registration,
                    parts.legacy(),
                    actors.allocator(),
                    parts.streams(),
                    mesh,
                    trust,
                    rotation,
                    metrics,
                    parts.audit().sink()),
            MeshServiceHandlerFactory::create)
        .service(
            ColonyService.class,
            ColonyService.description,
            caller ->
                new ColonyEdge(
                    caller,
                    parts.issuance(),
                    revocation,
                    agents,
                    addresses,
                    status,
                    mapping,
                    topology,
                    watch,
                    ping,
                    authority),
            ColonyServiceHandlerFactory::create)
        .service(
            CertificateService.class,
            CertificateService.description,
            caller ->
                new CertificateEdge(
                    caller,
                    revocation,
                    rotation,
                    parts.tables().certificates(),
                    actors.blocking(),
                    parts.clock()),
            CertificateServiceHandlerFactory::create)
        .service(
            InvitationService.class,
            InvitationService.description,
            caller ->
                new InvitationEdge(caller, authorityClient, parts.invitations(), parts.clock()),
            InvitationServiceHandlerFactory::create)
        .service(
            SecretService.class,
            SecretService.description,
            caller -> new SecretEdge(caller, parts.secret(), parts.audit().sink()),
            SecretServiceHandlerFactory::create)
        .service(
            AuditService.class,
            AuditService.description,
            caller -> new AuditEdge(auditReading),
            AuditServiceHandlerFactory::create)
        .reflection()
        .reference(
            new ApiReference.Server(
                "Colony " + settings.colonyId(),
                "The lines call the colony through a proxy on this host: coral proxy start "
                    + settings.colonyId()
                    + ". What a proxy's own role may not call needs the certificate of somebody who"
                    + " may, shown to the colony's port itself.",
                "",
                "http://127.0.0.1:8000"))
        .telling(metrics.calls())
        .limit(ColonyRpcs.REQUEST_CERTIFICATE, MAX_CERTIFICATE_REQUEST_BYTES)
        .limit(ColonyRpcs.GET_CA_CERTIFICATE, MAX_EMPTY_REQUEST_BYTES)
        .streamIdle(settings.heartbeatInterval().multipliedBy(STREAM_IDLE_INTERVALS))
        .build();
  }

  /** Hears of what changes in sessions, addresses and certificates. */
  private ActorRef<AgentChanges.Command> changes(
      Parts parts, AgentOverview agents, AgentMapping mapping) {
    ActorRef<AgentChanges.Command> changes =
        actors
            .system()
            .systemActorOf(
                AgentChanges.create(
                    actors.directory(),
                    agentIds ->
                        agents
                            .members(agentIds)
                            .thenApply(
                                members ->
                                    members.stream()
                                        .collect(
                                            Collectors.toMap(
                                                member -> member.allocation().agentId(),
                                                mapping::agent)))),
                "agent-changes",
                Props.empty());
    parts.hub().onChange(agentId -> changes.tell(new AgentChanges.Changed(agentId)));
    actors
        .certificates()
        .onChange(
            change ->
                change
                    .agentId()
                    .ifPresent(agentId -> changes.tell(new AgentChanges.Changed(agentId))));
    return changes;
  }

  private boolean isHolderAccepted(X509Certificate shown, AdministratorRenewal administrator) {
    boolean accepted = actors.certificates().acceptsHolder(shown);
    if (accepted) {
      administrator.used(shown);
    }
    return accepted;
  }

  /** Whoever uses a role, or is refused by the table, is told of. */
  private RpcAuthorization authorization(AuditSink sink) {
    RpcAuthorization table =
        settings.legacy().acceptStrangers()
            ? ColonyRpcs.withStrangersRegistering()
            : ColonyRpcs.AUTHORIZATION;
    return table.telling(new RoleUse(table, sink));
  }
}
