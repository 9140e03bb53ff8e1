package coral.colony;

import coral.model.AuditEvent;
import coral.model.AuditSink;
import coral.model.InvitationText;
import coral.ownership.ColonyOwner;
import coral.rpc.RpcException;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a colony does at discovery, if it has one: it announces itself, reads the keys of
 * registration tokens, and replaces its secret.
 */
final class ColonyDiscovery {
  private static final Logger log = LoggerFactory.getLogger(ColonyDiscovery.class);

  private final Optional<DiscoveryClient> client;
  private final TokenKeys tokens;
  private final SecretReplacement replacement;
  private final Executor blocking;
  private final AtomicReference<Optional<String>> announcementProblem =
      new AtomicReference<>(Optional.empty());

  private ColonyDiscovery(
      Optional<DiscoveryClient> client,
      TokenKeys tokens,
      SecretReplacement replacement,
      Executor blocking) {
    this.client = client;
    this.tokens = tokens;
    this.replacement = replacement;
    this.blocking = blocking;
  }

  /**
   * Reads what is on disk; asks nobody yet.
   *
   * @throws IOException if the owner's key can be neither read nor made, or keys of tokens were
   *     accepted before and cannot be read
   */
  static ColonyDiscovery open(
      ColonySettings settings,
      ColonyFiles files,
      ColonySecrets secrets,
      InstantSource clock,
      Executor blocking)
      throws IOException {
    Optional<DiscoveryClient> client = Optional.empty();
    if (settings.discovery().isPresent()) {
      ColonyOwner owner = files.owner(settings.authority(), clock);
      log.info("Discovery knows this colony by the owner key {}", owner.publicKey());
      client =
          Optional.of(
              new DiscoveryClient(
                  settings.discovery().get(), settings.colonyId(), owner, secrets::current));
    }
    TokenKeys tokens =
        TokenKeys.open(
            files,
            settings.colonyId(),
            client,
            settings.discovery().flatMap(ColonySettings.Discovery::tokenKey),
            clock,
            blocking);
    return new ColonyDiscovery(
        client, tokens, new SecretReplacement(secrets, client, clock, blocking), blocking);
  }

  TokenKeys tokens() {
    return tokens;
  }

  SecretReplacement replacement() {
    return replacement;
  }

  /** Why discovery does not know the colony, if it does not. */
  Optional<String> problem() {
    return Objects.requireNonNull(announcementProblem.get());
  }

  /** Where the guests of an invitation find discovery. */
  static Optional<InvitationText.Discovery> invited(ColonySettings settings) {
    return settings
        .discovery()
        .map(where -> new InvitationText.Discovery(where.url(), where.fingerprint()));
  }

  /** Asks discovery from now on, and goes on with what a crash broke off. */
  void start(
      ActorSystem<?> system, ColonySettings settings, MeshView mesh, int rpcPort, AuditSink sink) {
    replacement
        .resume()
        .thenAccept(
            resumed -> {
              if (resumed) {
                sink.record(
                    AuditEvent.of(AuditEvent.Kind.SECRET_ROTATED)
                        .detail("has gone on with a replacement that had broken off"));
              }
            });
    if (client.isEmpty()) {
      return;
    }
    DiscoveryClient discovery = client.get();
    system.systemActorOf(
        DiscoveryTask.create(
            DiscoveryTask.ANNOUNCEMENT,
            () -> announce(discovery, settings, mesh, rpcPort),
            announcementProblem),
        "discovery-announcer",
        Props.empty());
    system.systemActorOf(
        // Those on disk serve meanwhile, so that this is no problem of the colony.
        DiscoveryTask.create(
            DiscoveryTask.KEYS, tokens::refresh, new AtomicReference<>(Optional.empty())),
        "discovery-keys",
        Props.empty());
  }

  private CompletionStage<Done> announce(
      DiscoveryClient discovery, ColonySettings settings, MeshView mesh, int rpcPort) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            discovery.register(settings, mesh, rpcPort);
            return Done.getInstance();
          } catch (RpcException | IOException e) {
            throw new CompletionException(e);
          }
        },
        blocking);
  }
}
