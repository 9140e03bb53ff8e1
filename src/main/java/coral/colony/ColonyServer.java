package coral.colony;

import coral.api.colony.v1.AuditService;
import coral.api.colony.v1.AuditServiceHandlerFactory;
import coral.api.colony.v1.ColonyService;
import coral.api.colony.v1.ColonyServiceHandlerFactory;
import coral.api.mesh.v1.MeshService;
import coral.api.mesh.v1.MeshServiceHandlerFactory;
import coral.certificate.Authority;
import coral.certificate.Identity;
import coral.model.AuditEvent;
import coral.rpc.CallerIdentity;
import coral.rpc.RpcServer;
import coral.rpc.ServerTls;
import coral.storage.AllocationReadModel;
import coral.storage.DuckDbFile;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.http.javadsl.ServerBinding;

/** The colony's one port: its services, who is let in, and the limits of what they may send. */
final class ColonyServer {
  /** Ten silent intervals end a session; a stream that says nothing for longer has none. */
  private static final int STREAM_IDLE_INTERVALS = 11;

  /** A request for a certificate carries at most 16 KiB of PEM, and a stranger may send it. */
  private static final int MAX_CERTIFICATE_REQUEST_BYTES = 24 << 10;

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

  /** Opens the port. */
  CompletionStage<ServerBinding> bind(
      Hub hub,
      SessionStreams streams,
      Bootstrap bootstrap,
      ColonyAudit audit,
      DuckDbFile file,
      AllocationReadModel readModel,
      Readiness readiness,
      Supplier<Optional<String>> announcementProblem,
      InstantSource clock) {
    Registration registration =
        new Registration(
            actors.allocator(),
            mesh.wireGuardKey(),
            actors.sharding(),
            actors.directory(),
            settings.heartbeatInterval(),
            clock,
            audit.sink(),
            actors.system());
    AuditReading auditReading = audit.reading();
    AgentOverview agents =
        new AgentOverview(
            actors.allocator(),
            actors.directory(),
            readModel,
            settings.heartbeatInterval(),
            clock,
            actors.blocking(),
            actors.system());
    ColonyStatus status =
        new ColonyStatus(
            settings,
            mesh,
            authority.fingerprint(),
            file,
            readiness,
            announcementProblem,
            actors.allocator(),
            agents,
            clock,
            actors.blocking());
    RpcServer server =
        RpcServer.builder(
                actors.system(),
                CallerIdentity.ofColony(
                    settings.colonyId(), actors.certificates()::acceptsHolder, clock),
                ColonyRpcs.AUTHORIZATION.telling(
                    (rpc, caller, why) ->
                        audit
                            .sink()
                            .record(
                                AuditMapping.by(caller, AuditEvent.Kind.CALL_REFUSED)
                                    .detail(why.message()))))
            .service(
                MeshService.class,
                MeshService.description,
                caller -> new MeshEdge(caller, registration, actors.allocator(), streams, mesh),
                MeshServiceHandlerFactory::create)
            .service(
                ColonyService.class,
                ColonyService.description,
                caller -> new ColonyEdge(caller, bootstrap, agents, status, mesh, hub, authority),
                ColonyServiceHandlerFactory::create)
            .service(
                AuditService.class,
                AuditService.description,
                caller -> new AuditEdge(auditReading),
                AuditServiceHandlerFactory::create)
            .limit(ColonyRpcs.REQUEST_CERTIFICATE, MAX_CERTIFICATE_REQUEST_BYTES)
            .limit(ColonyRpcs.GET_CA_CERTIFICATE, MAX_EMPTY_REQUEST_BYTES)
            .streamIdle(settings.heartbeatInterval().multipliedBy(STREAM_IDLE_INTERVALS))
            .build();
    return server.bind(settings.listenHost(), settings.listenPort(), Optional.of(tls));
  }
}
