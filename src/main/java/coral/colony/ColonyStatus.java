package coral.colony;

import coral.address.IpAllocator;
import coral.api.colony.v1.AuthenticationFallback;
import coral.api.colony.v1.GetStatusResponse;
import coral.model.AuditEvent;
import coral.model.Authentication;
import coral.model.Fingerprint;
import coral.model.MeshAddresses;
import coral.process.BuildNumber;
import coral.storage.AuditTable;
import coral.storage.DuckDbFile;
import coral.storage.StoreException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/** How the colony is: {@code GetStatus}. */
final class ColonyStatus {
  /** Whoever looks at the status once in a working week sees it. */
  private static final Duration FALLBACKS_SHOWN = Duration.ofDays(7);

  private static final int MAX_FALLBACKS = 100;

  private final ColonySettings settings;
  private final MeshView mesh;
  private final Supplier<Fingerprint> authority;
  private final DuckDbFile file;
  private final AuditTable audit;
  private final Readiness readiness;
  private final Supplier<Optional<String>> announcementProblem;
  private final AllocatorClient allocator;
  private final AgentOverview agents;
  private final InstantSource clock;
  private final Instant startedAt;
  private final Executor blocking;

  ColonyStatus(
      ColonySettings settings,
      MeshView mesh,
      Supplier<Fingerprint> authority,
      DuckDbFile file,
      AuditTable audit,
      Readiness readiness,
      Supplier<Optional<String>> announcementProblem,
      AllocatorClient allocator,
      AgentOverview agents,
      InstantSource clock,
      Executor blocking) {
    this.settings = settings;
    this.mesh = mesh;
    this.authority = authority;
    this.file = file;
    this.audit = audit;
    this.readiness = readiness;
    this.announcementProblem = announcementProblem;
    this.allocator = allocator;
    this.agents = agents;
    this.clock = clock;
    this.startedAt = clock.instant();
    this.blocking = blocking;
  }

  String colonyId() {
    return settings.colonyId().value();
  }

  Instant now() {
    return clock.instant();
  }

  CompletionStage<IpAllocator.Usage> usage() {
    return allocator.usage();
  }

  CompletionStage<GetStatusResponse> answer() {
    CompletionStage<GetStatusResponse.Builder> inside =
        CompletableFuture.supplyAsync(this::inside, blocking);
    return inside
        .thenCombine(
            usage(),
            (status, usage) ->
                status
                    .setAllocatedAddresses(usage.held())
                    .setAddressCapacity(usage.capacity())
                    .putAgentsByAuthentication(
                        Authentication.CERTIFICATE.wireName(),
                        usage.held() - usage.byToken() - usage.byColonySecret())
                    .putAgentsByAuthentication(Authentication.TOKEN.wireName(), usage.byToken())
                    .putAgentsByAuthentication(
                        Authentication.COLONY_SECRET.wireName(), usage.byColonySecret()))
        .thenCombine(agents.connected(), GetStatusResponse.Builder::setAgentCount)
        .thenApply(GetStatusResponse.Builder::build);
  }

  private GetStatusResponse.Builder inside() {
    List<String> problems = new ArrayList<>(readiness.problems());
    String status = problems.isEmpty() ? "running" : "unhealthy";
    Optional<String> announcement = announcementProblem.get();
    if (announcement.isPresent()) {
      problems.add(announcement.get());
      status = status.equals("running") ? "degraded" : status;
    }
    MeshAddresses colony = mesh.subnet().colony();
    Instant now = clock.instant();
    return GetStatusResponse.newBuilder()
        .setColonyId(colonyId())
        .setAppName(settings.app())
        .setEnvironment(settings.environment())
        .setStatus(status)
        .setStartedAt(Protobuf.timestamp(startedAt))
        .setUptimeSeconds(Duration.between(startedAt, now).toSeconds())
        .setStorageBytes(storageBytes(problems))
        .setVersion(BuildNumber.current())
        .setMeshIpv4(colony.ipv4Text())
        .setMeshIpv6(colony.ipv6Text())
        .setMeshSubnetIpv4(mesh.subnet().ipv4().toString())
        .setMeshSubnetIpv6(mesh.subnet().ipv6().toString())
        .setWireguardPubkey(mesh.wireGuardKey().toString())
        .setCaFingerprint(authority.get().value())
        .addAllAuthenticationFallbacks(fallbacks(now, problems))
        .addAllProblems(problems);
  }

  /** Out of the audit log, so that a restart forgets none. */
  private List<AuthenticationFallback> fallbacks(Instant now, List<String> problems) {
    try {
      return audit
          .newestBySubject(
              AuditEvent.Kind.AUTHENTICATION_WEAKENED.wireName(),
              now.minus(FALLBACKS_SHOWN),
              MAX_FALLBACKS)
          .stream()
          .map(
              row ->
                  AuthenticationFallback.newBuilder()
                      .setAgentId(row.subject())
                      .setAt(Protobuf.timestamp(row.time()))
                      .setDetail(row.detail())
                      .build())
          .toList();
    } catch (StoreException e) {
      problems.add(String.valueOf(e.getMessage()));
      return List.of();
    }
  }

  private long storageBytes(List<String> problems) {
    try {
      return file.sizeBytes();
    } catch (StoreException e) {
      problems.add(String.valueOf(e.getMessage()));
      return 0;
    }
  }
}
