package coral.discovery;

import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Durations;
import coral.api.discovery.v1.DiscoveryService;
import coral.api.discovery.v1.GetDiscoveryPublicKeyRequest;
import coral.api.discovery.v1.GetDiscoveryPublicKeyResponse;
import coral.api.discovery.v1.HealthRequest;
import coral.api.discovery.v1.HealthResponse;
import coral.api.discovery.v1.LookupColonyRequest;
import coral.api.discovery.v1.LookupColonyResponse;
import coral.api.discovery.v1.OwnerProof;
import coral.api.discovery.v1.RegisterColonyRequest;
import coral.api.discovery.v1.RegisterColonyResponse;
import coral.api.discovery.v1.RequestRegistrationTokenRequest;
import coral.api.discovery.v1.RequestRegistrationTokenResponse;
import coral.api.discovery.v1.RotateColonySecretRequest;
import coral.api.discovery.v1.RotateColonySecretResponse;
import coral.model.Addresses;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Failure;
import coral.model.IpPrefix;
import coral.model.RefusedException;
import coral.model.Secret;
import coral.model.WireGuardKey;
import coral.ownership.OwnerStatement;
import coral.ownership.RotationStatement;
import coral.rpc.Caller;
import coral.rpc.Role;
import coral.rpc.RpcAuthorization;
import coral.rpc.RpcServer;
import coral.token.PublicKeyHash;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** The gRPC edge: checks what comes in, asks the directory, and words the answer. */
final class DiscoveryEdge implements DiscoveryService {
  static final String REGISTER_COLONY = DiscoveryService.name + "/RegisterColony";
  static final String LOOKUP_COLONY = DiscoveryService.name + "/LookupColony";
  static final String HEALTH = DiscoveryService.name + "/Health";
  static final String REQUEST_TOKEN = DiscoveryService.name + "/RequestRegistrationToken";
  static final String GET_PUBLIC_KEY = DiscoveryService.name + "/GetDiscoveryPublicKey";
  static final String ROTATE_SECRET = DiscoveryService.name + "/RotateColonySecret";

  /**
   * Everybody may call: what changes or gives something is authorised by a colony's secret and its
   * owner's signature.
   */
  static final RpcAuthorization AUTHORIZATION =
      RpcAuthorization.of(
          Map.of(
              REGISTER_COLONY,
              Set.of(Role.ANYONE),
              LOOKUP_COLONY,
              Set.of(Role.ANYONE),
              HEALTH,
              Set.of(Role.ANYONE),
              REQUEST_TOKEN,
              Set.of(Role.ANYONE),
              GET_PUBLIC_KEY,
              Set.of(Role.ANYONE),
              ROTATE_SECRET,
              Set.of(Role.ANYONE),
              RpcServer.REFLECTION,
              Set.of(Role.ANYONE)));

  /** More than the largest announcement within its bounds, about 22 KiB. */
  static final int MAX_REGISTER_BYTES = 32 << 10;

  static final int MAX_QUERY_BYTES = 4 << 10;

  /** 128 bits in base64. A short one could be tried out by whoever gets at its hash. */
  private static final int MIN_SECRET_LENGTH = 22;

  private static final int MAX_SECRET_LENGTH = 512;

  /** How long a former secret holds unless the request says so. */
  private static final Duration DEFAULT_GRACE = Duration.ofHours(24);

  /** Longer than any roll-out: two secrets are to be found out where one was. */
  private static final Duration MAX_GRACE = Duration.ofDays(30);

  private final DiscoveryServices services;
  private final InstantSource clock;
  private final Instant startedAt;
  private final Caller caller;

  DiscoveryEdge(DiscoveryServices services, InstantSource clock, Instant startedAt, Caller caller) {
    this.services = services;
    this.clock = clock;
    this.startedAt = startedAt;
    this.caller = caller;
  }

  @Override
  public CompletionStage<RegisterColonyResponse> registerColony(RegisterColonyRequest in) {
    services.limits().requireSource(source());
    Announcement announcement = valid(() -> announcement(in));
    Secret secret = secret("colony_secret", in.getColonySecret());
    Optional<OwnerClaim> claim =
        claim(in.hasOwner(), in.getOwner(), OwnerProofs.statement(in, secret));
    return services
        .directory()
        .ask(
            Directory.Registered.class,
            replyTo -> new Directory.Register(announcement, secret, claim, source(), replyTo))
        .thenApply(
            registered ->
                RegisterColonyResponse.newBuilder()
                    .setSuccess(true)
                    .setTtl(Math.toIntExact(registered.lifetime().toSeconds()))
                    .setExpiresAt(timestamp(registered.expiresAt()))
                    .build());
  }

  @Override
  public CompletionStage<LookupColonyResponse> lookupColony(LookupColonyRequest in) {
    services.limits().requireLookup(source());
    ColonyId meshId = valid(() -> new ColonyId(in.getMeshId()));
    return services
        .directory()
        .ask(Directory.Found.class, replyTo -> new Directory.Lookup(meshId, replyTo))
        .thenApply(found -> response(found.entry()));
  }

  @Override
  public CompletionStage<HealthResponse> health(HealthRequest in) {
    services.limits().requireLookup(source());
    return services
        .directory()
        .ask(Directory.Counted.class, Directory.Count::new)
        .thenApply(
            counted ->
                HealthResponse.newBuilder()
                    .setStatus("ok")
                    .setVersion(version())
                    .setUptimeSeconds(Duration.between(startedAt, clock.instant()).toSeconds())
                    .setRegisteredColonies(counted.live())
                    .build());
  }

  @Override
  public CompletionStage<RequestRegistrationTokenResponse> requestRegistrationToken(
      RequestRegistrationTokenRequest in) {
    services.limits().requireSource(source());
    RegistrationTokens.Request request = valid(() -> tokenRequest(in));
    return services
        .tokens()
        .request(request, secret("colony_secret", in.getColonySecret()))
        .thenApply(
            grant ->
                RequestRegistrationTokenResponse.newBuilder()
                    .setToken(grant.issued().compact())
                    .setColonyEndpoint(grant.colony().toString())
                    .setExpiresAt(grant.issued().token().expiresAt().getEpochSecond())
                    .build());
  }

  private RegistrationTokens.Request tokenRequest(RequestRegistrationTokenRequest in) {
    Optional<PublicKeyHash> keyHash =
        in.getPublicKeySha256().isEmpty()
            ? Optional.empty()
            : Optional.of(PublicKeyHash.of(in.getPublicKeySha256().toByteArray()));
    Optional<WireGuardKey> wireGuardKey =
        in.getWireguardPubkey().isEmpty()
            ? Optional.empty()
            : Optional.of(WireGuardKey.parse(in.getWireguardPubkey()));
    if (keyHash.isPresent() && wireGuardKey.isPresent()) {
      throw new IllegalArgumentException(
          "a token is bound to public_key_sha256 or to wireguard_pubkey, not to both");
    }
    return new RegistrationTokens.Request(
        new ColonyId(in.getColonyId()),
        new AgentId(in.getAgentId()),
        keyHash,
        wireGuardKey,
        source());
  }

  @Override
  public CompletionStage<GetDiscoveryPublicKeyResponse> getDiscoveryPublicKey(
      GetDiscoveryPublicKeyRequest in) {
    services.limits().requireLookup(source());
    return services.tokens().keys().thenApply(DiscoveryKeys::response);
  }

  @Override
  public CompletionStage<RotateColonySecretResponse> rotateColonySecret(
      RotateColonySecretRequest in) {
    services.limits().requireSource(source());
    ColonyId meshId = valid(() -> new ColonyId(in.getMeshId()));
    Secret present = secret("colony_secret", in.getColonySecret());
    Secret next = secret("new_colony_secret", in.getNewColonySecret());
    Duration grace = valid(() -> grace(in));
    Optional<OwnerClaim> claim =
        claim(
            in.hasOwner(),
            in.getOwner(),
            new RotationStatement(in.getMeshId(), present, next, grace));
    return services
        .rotation()
        .rotate(meshId, present, next, grace, claim, source())
        .thenApply(
            ends ->
                RotateColonySecretResponse.newBuilder()
                    .setFormerSecretExpiresAt(timestamp(ends))
                    .build());
  }

  private static Duration grace(RotateColonySecretRequest in) {
    if (!in.hasGrace()) {
      return DEFAULT_GRACE;
    }
    try {
      Duration grace = Duration.ofNanos(Durations.toNanos(in.getGrace()));
      if (!grace.isNegative() && grace.compareTo(MAX_GRACE) <= 0) {
        return grace;
      }
    } catch (ArithmeticException e) {
      // out of bounds by far
    }
    throw new IllegalArgumentException("grace is 0 to " + MAX_GRACE.toDays() + " days");
  }

  /** A signature that does not hold counts as a wrong secret does. */
  private Optional<OwnerClaim> claim(boolean shown, OwnerProof proof, OwnerStatement statement) {
    if (!shown) {
      return Optional.empty();
    }
    OwnerClaim claim = valid(() -> OwnerProofs.claim(proof));
    if (!OwnerProofs.holds(proof, claim, statement)) {
      services.limits().unproven(source());
      services.limits().wrong(source());
      throw new RefusedException(
          Failure.UNAUTHENTICATED, "the owner's signature is not one of this request");
    }
    return Optional.of(claim);
  }

  private InetAddress source() {
    return caller.remote().getAddress();
  }

  private static Announcement announcement(RegisterColonyRequest in) {
    // The number of entries is checked before any of them is looked at.
    if (in.getPublicEndpointsCount() > Announcement.MAX_ENDPOINTS) {
      throw new IllegalArgumentException(
          "public_endpoints has at most " + Announcement.MAX_ENDPOINTS + " entries");
    }
    return new Announcement(
        new ColonyId(in.getMeshId()),
        WireGuardKey.parse(in.getWireguardPubkey()),
        in.getPublicEndpointsList().stream().map(Endpoint::parse).toList(),
        Announcement.ipv4(IpPrefix.parseAddress(in.getMeshIpv4())),
        in.getMeshIpv6().isEmpty()
            ? Optional.empty()
            : Optional.of(Announcement.ipv6(IpPrefix.parseAddress(in.getMeshIpv6()))),
        in.getConnectPort(),
        in.getMetadataMap());
  }

  private static Secret secret(String field, String text) {
    if (text.length() < MIN_SECRET_LENGTH || text.length() > MAX_SECRET_LENGTH) {
      throw new RefusedException(
          Failure.INVALID_ARGUMENT,
          field + " has " + MIN_SECRET_LENGTH + " to " + MAX_SECRET_LENGTH + " characters");
    }
    return new Secret(text);
  }

  private static <T> T valid(Supplier<T> parse) {
    try {
      return parse.get();
    } catch (IllegalArgumentException e) {
      throw new RefusedException(Failure.INVALID_ARGUMENT, String.valueOf(e.getMessage()));
    }
  }

  private static LookupColonyResponse response(ColonyEntry entry) {
    Announcement announcement = entry.announcement();
    return LookupColonyResponse.newBuilder()
        .setWireguardPubkey(announcement.wireGuardKey().toString())
        .addAllPublicEndpoints(announcement.endpoints().stream().map(Endpoint::toString).toList())
        .setMeshIpv4(Addresses.text(announcement.meshIpv4()))
        .setMeshIpv6(announcement.meshIpv6().map(Addresses::text).orElse(""))
        .setConnectPort(announcement.connectPort())
        .putAllMetadata(announcement.metadata())
        .setLastSeen(timestamp(entry.lastSeen()))
        .build();
  }

  static Timestamp timestamp(Instant instant) {
    return Timestamp.newBuilder()
        .setSeconds(instant.getEpochSecond())
        .setNanos(instant.getNano())
        .build();
  }

  private static String version() {
    String version = DiscoveryEdge.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }
}
