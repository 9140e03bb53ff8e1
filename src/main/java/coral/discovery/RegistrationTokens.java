package coral.discovery;

import com.google.protobuf.ByteString;
import coral.model.AgentId;
import coral.model.AuditEvent;
import coral.model.AuditEvent.Kind;
import coral.model.AuditSink;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Failure;
import coral.model.Secret;
import coral.model.WireGuardKey;
import coral.rpc.FailureStatus;
import coral.rpc.HttpDocument;
import coral.rpc.RateLimitedException;
import coral.token.JsonWebKeySet;
import coral.token.PublicKeyHash;
import coral.token.TokenIssuer;
import java.net.InetAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.japi.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Hands out registration tokens: to whoever shows the colony's secret, within the limits, with a
 * line in the audit for each that was issued or refused.
 */
final class RegistrationTokens {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final Duration WHEN_BUSY = Duration.ofSeconds(1);

  /**
   * What is asked for.
   *
   * @param keyHash the key that shall be certified
   * @param wireGuardKey of an agent that registers by token alone; not beside {@code keyHash}
   */
  record Request(
      ColonyId colonyId,
      AgentId agentId,
      Optional<PublicKeyHash> keyHash,
      Optional<WireGuardKey> wireGuardKey,
      InetAddress source) {}

  /**
   * A token, and where it can be spent.
   *
   * @param colony its gRPC port at the first place that it announced
   */
  record Grant(TokenIssuer.Issued issued, Endpoint colony) {}

  private final ActorSystem<?> system;
  private final ActorRef<TokenIssuer.Command> issuer;
  private final DirectoryQueries directory;
  private final SecretCheck secrets;
  private final DiscoveryLimits limits;
  private final AuditSink audit;
  private final InstantSource clock;
  private final Duration cacheTime;

  /**
   * Hands out what an issuer signs.
   *
   * @param cacheTime how long the published keys may be cached
   */
  RegistrationTokens(
      ActorSystem<?> system,
      ActorRef<TokenIssuer.Command> issuer,
      DirectoryQueries directory,
      SecretCheck secrets,
      DiscoveryLimits limits,
      AuditSink audit,
      InstantSource clock,
      Duration cacheTime) {
    this.system = system;
    this.issuer = issuer;
    this.directory = directory;
    this.secrets = secrets;
    this.limits = limits;
    this.audit = audit;
    this.clock = clock;
    this.cacheTime = cacheTime;
  }

  /**
   * Issues a token.
   *
   * @return fails with UNAUTHENTICATED for a wrong secret or an unknown colony, and does not tell
   *     which; with {@link RateLimitedException} beyond a limit
   */
  CompletionStage<Grant> request(Request request, Secret secret) {
    return directory
        .owned(request.colonyId())
        .thenCompose(
            entry -> {
              List<String> hashes =
                  entry.map(held -> held.secrets().hashes(clock.instant())).orElse(List.of());
              return secrets
                  .match(request.colonyId(), secret, hashes, request.source())
                  .thenApply(
                      proven ->
                          entry
                              .filter(held -> proven.isPresent())
                              .orElseThrow(SecretRotation::wrong));
            })
        .thenCompose(
            entry -> {
              limits.requireToken(request.colonyId(), request.agentId(), request.source());
              return issue(request)
                  .thenApply(issued -> new Grant(issued, grpcPort(entry.announcement())));
            })
        .whenComplete((grant, failure) -> tell(request, grant, failure));
  }

  private static Endpoint grpcPort(Announcement announcement) {
    return new Endpoint(announcement.endpoints().get(0).host(), announcement.connectPort());
  }

  private CompletionStage<TokenIssuer.Issued> issue(Request request) {
    return ask(
        TokenIssuer.Issued.class,
        replyTo ->
            new TokenIssuer.Issue(
                request.agentId(),
                request.colonyId(),
                request.keyHash(),
                request.wireGuardKey(),
                replyTo));
  }

  /** The keys that are published, in the order in which they came. */
  CompletionStage<TokenIssuer.Published> keys() {
    return ask(TokenIssuer.Published.class, TokenIssuer.GetKeys::new);
  }

  /** Lets the next key sign from now on. */
  CompletionStage<TokenIssuer.Published> rotateKeys() {
    return ask(TokenIssuer.Published.class, TokenIssuer.Rotate::new);
  }

  /** The keys for those who verify tokens with a JWT library. */
  CompletionStage<HttpDocument> keySet() {
    return keys()
        .thenApply(
            published ->
                new HttpDocument(
                    JsonWebKeySet.MEDIA_TYPE,
                    ByteString.copyFromUtf8(
                        JsonWebKeySet.render(published.keys(), clock.instant())),
                    cacheTime));
  }

  private <T extends TokenIssuer.Reply> CompletionStage<T> ask(
      Class<T> expected, Function<ActorRef<TokenIssuer.Reply>, TokenIssuer.Command> command) {
    return AskPattern.ask(issuer, command, TIMEOUT, system.scheduler())
        .thenApply(
            reply -> {
              if (reply instanceof TokenIssuer.Refusal refusal) {
                throw refusal.refused().failure() == Failure.LIMIT_REACHED
                    ? new RateLimitedException(refusal.refused(), WHEN_BUSY)
                    : refusal.refused().toException();
              }
              return expected.cast(reply);
            });
  }

  /** Neither the secret nor the token: the token's id finds it in the colony's audit. */
  private void tell(Request request, @Nullable Grant grant, @Nullable Throwable failure) {
    AuditEvent event =
        AuditEvent.of(grant == null ? Kind.TOKEN_REFUSED : Kind.TOKEN_ISSUED)
            .by(AuditEvent.ANYONE)
            .about(request.agentId())
            .from(request.source());
    String bound =
        request
            .keyHash()
            .map(hash -> "key " + hash.value().substring(0, 16))
            .or(() -> request.wireGuardKey().map(key -> "WireGuard key " + key))
            .orElse("no key");
    audit.record(
        event.detail(
            "colony="
                + request.colonyId()
                + " "
                + (grant == null ? why(failure) : "token=" + grant.issued().token().id())
                + " bound to "
                + bound));
  }

  private static String why(@Nullable Throwable failure) {
    return failure == null
        ? ""
        : "reason=" + FailureStatus.unwrap(new CompletionException(failure)).getMessage();
  }
}
