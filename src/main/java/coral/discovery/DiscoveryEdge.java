package coral.discovery;

import com.google.protobuf.Timestamp;
import coral.api.discovery.v1.DiscoveryService;
import coral.api.discovery.v1.GetDiscoveryPublicKeyRequest;
import coral.api.discovery.v1.GetDiscoveryPublicKeyResponse;
import coral.api.discovery.v1.HealthRequest;
import coral.api.discovery.v1.HealthResponse;
import coral.api.discovery.v1.LookupColonyRequest;
import coral.api.discovery.v1.LookupColonyResponse;
import coral.api.discovery.v1.RegisterColonyRequest;
import coral.api.discovery.v1.RegisterColonyResponse;
import coral.api.discovery.v1.RequestRegistrationTokenRequest;
import coral.api.discovery.v1.RequestRegistrationTokenResponse;
import coral.api.discovery.v1.RotateColonySecretRequest;
import coral.api.discovery.v1.RotateColonySecretResponse;
import coral.model.Addresses;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Failure;
import coral.model.IpPrefix;
import coral.model.RefusedException;
import coral.model.Secret;
import coral.model.WireGuardKey;
import coral.process.BuildNumber;
import coral.rpc.Caller;
import coral.rpc.Role;
import coral.rpc.RpcAuthorization;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.japi.function.Function;

/** The gRPC edge: checks what comes in, asks the directory, and words the answer. */
final class DiscoveryEdge implements DiscoveryService {
  static final String REGISTER_COLONY = DiscoveryService.name + "/RegisterColony";
  static final String LOOKUP_COLONY = DiscoveryService.name + "/LookupColony";
  static final String HEALTH = DiscoveryService.name + "/Health";

  /** Everybody may call: a registration is authorised by its secret. */
  static final RpcAuthorization AUTHORIZATION =
      RpcAuthorization.of(
          Map.of(
              REGISTER_COLONY,
              Set.of(Role.ANYONE),
              LOOKUP_COLONY,
              Set.of(Role.ANYONE),
              HEALTH,
              Set.of(Role.ANYONE),
              DiscoveryService.name + "/RequestRegistrationToken",
              Set.of(),
              DiscoveryService.name + "/GetDiscoveryPublicKey",
              Set.of(),
              DiscoveryService.name + "/RotateColonySecret",
              Set.of()));

  /** More than the largest announcement within its bounds, about 22 KiB. */
  static final int MAX_REGISTER_BYTES = 32 << 10;

  static final int MAX_QUERY_BYTES = 4 << 10;

  /** 128 bits in base64. A short one could be tried out by whoever gets at its hash. */
  private static final int MIN_SECRET_LENGTH = 22;

  private static final int MAX_SECRET_LENGTH = 512;

  /** A registration waits for an Argon2id and a write, behind those of others. */
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final ActorSystem<?> system;
  private final ActorRef<Directory.Command> directory;
  private final InstantSource clock;
  private final Instant startedAt;
  private final Caller caller;

  DiscoveryEdge(
      ActorSystem<?> system,
      ActorRef<Directory.Command> directory,
      InstantSource clock,
      Instant startedAt,
      Caller caller) {
    this.system = system;
    this.directory = directory;
    this.clock = clock;
    this.startedAt = startedAt;
    this.caller = caller;
  }

  @Override
  public CompletionStage<RegisterColonyResponse> registerColony(RegisterColonyRequest in) {
    Announcement announcement = valid(() -> announcement(in));
    Secret secret = secret(in.getColonySecret());
    return ask(replyTo ->
            new Directory.Register(announcement, secret, caller.remote().getAddress(), replyTo))
        .thenApply(
            reply -> {
              Directory.Registered registered = expect(reply, Directory.Registered.class);
              return RegisterColonyResponse.newBuilder()
                  .setSuccess(true)
                  .setTtl(Math.toIntExact(registered.lifetime().toSeconds()))
                  .setExpiresAt(timestamp(registered.expiresAt()))
                  .build();
            });
  }

  @Override
  public CompletionStage<LookupColonyResponse> lookupColony(LookupColonyRequest in) {
    ColonyId meshId = valid(() -> new ColonyId(in.getMeshId()));
    return ask(replyTo -> new Directory.Lookup(meshId, replyTo))
        .thenApply(reply -> response(expect(reply, Directory.Found.class).entry()));
  }

  @Override
  public CompletionStage<HealthResponse> health(HealthRequest in) {
    return ask(Directory.Count::new)
        .thenApply(
            reply ->
                HealthResponse.newBuilder()
                    .setStatus("ok")
                    .setVersion(BuildNumber.current())
                    .setUptimeSeconds(Duration.between(startedAt, clock.instant()).toSeconds())
                    .setRegisteredColonies(expect(reply, Directory.Counted.class).live())
                    .build());
  }

  @Override
  public CompletionStage<RequestRegistrationTokenResponse> requestRegistrationToken(
      RequestRegistrationTokenRequest in) {
    throw new RefusedException(Failure.NOT_READY, "registration tokens are not issued here");
  }

  @Override
  public CompletionStage<GetDiscoveryPublicKeyResponse> getDiscoveryPublicKey(
      GetDiscoveryPublicKeyRequest in) {
    throw new RefusedException(Failure.NOT_READY, "registration tokens are not issued here");
  }

  @Override
  public CompletionStage<RotateColonySecretResponse> rotateColonySecret(
      RotateColonySecretRequest in) {
    throw new RefusedException(Failure.NOT_READY, "registration tokens are not issued here");
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

  private static Secret secret(String text) {
    if (text.length() < MIN_SECRET_LENGTH || text.length() > MAX_SECRET_LENGTH) {
      throw new RefusedException(
          Failure.INVALID_ARGUMENT,
          "colony_secret has " + MIN_SECRET_LENGTH + " to " + MAX_SECRET_LENGTH + " characters");
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

  private CompletionStage<Directory.Reply> ask(
      Function<ActorRef<Directory.Reply>, Directory.Command> command) {
    return AskPattern.ask(directory, command, TIMEOUT, system.scheduler());
  }

  private static <T extends Directory.Reply> T expect(Directory.Reply reply, Class<T> type) {
    if (reply instanceof Directory.Refusal refusal) {
      throw refusal.refused().toException();
    }
    return type.cast(reply);
  }

  private static Timestamp timestamp(Instant instant) {
    return Timestamp.newBuilder()
        .setSeconds(instant.getEpochSecond())
        .setNanos(instant.getNano())
        .build();
  }
}
