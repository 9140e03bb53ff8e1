package coral.colony;

import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.rpc.RpcException;
import coral.token.AcceptedKeys;
import coral.token.AcceptedKeysFile;
import coral.token.KeyRefresh;
import coral.token.PublishedKey;
import coral.token.RegistrationToken;
import coral.token.TokenVerifier;
import java.io.IOException;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.pekko.Done;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys of discovery whose tokens this colony believes, and what it believes of tokens. The keys
 * are on disk before they are used; while discovery is away, those on disk serve. Thread-safe.
 */
final class TokenKeys implements Issuance.Tokens {
  private static final Logger log = LoggerFactory.getLogger(TokenKeys.class);

  private final Optional<DiscoveryClient> discovery;
  private final Optional<String> pinned;
  private final AcceptedKeysFile file;
  private final KeyRefresh onDemand;
  private final TokenVerifier verifier;
  private final InstantSource clock;
  private final Executor blocking;
  private volatile @Nullable AcceptedKeys accepted;

  private TokenKeys(
      ColonyId colonyId,
      Optional<DiscoveryClient> discovery,
      Optional<String> pinned,
      AcceptedKeysFile file,
      @Nullable AcceptedKeys accepted,
      InstantSource clock,
      Executor blocking) {
    this.discovery = discovery;
    this.pinned = pinned;
    this.file = file;
    this.accepted = accepted;
    this.onDemand = new KeyRefresh(clock);
    this.verifier = new TokenVerifier(colonyId, this::accepted);
    this.clock = clock;
    this.blocking = blocking;
  }

  /**
   * The keys as they were last accepted.
   *
   * @param discovery empty for a colony without one, which takes no tokens
   * @param pinned the id of the key that is trusted first; empty: the one that signs when discovery
   *     is asked for the first time
   * @throws IOException if keys were accepted before and cannot be read
   */
  static TokenKeys open(
      ColonyFiles files,
      ColonyId colonyId,
      Optional<DiscoveryClient> discovery,
      Optional<String> pinned,
      InstantSource clock,
      Executor blocking)
      throws IOException {
    AcceptedKeysFile file = new AcceptedKeysFile(files.directory());
    return new TokenKeys(
        colonyId, discovery, pinned, file, file.load().orElse(null), clock, blocking);
  }

  private AcceptedKeys accepted() {
    AcceptedKeys keys = accepted;
    if (keys == null) {
      throw new RefusedException(
          Failure.NOT_READY,
          discovery.isPresent()
              ? "this colony has not heard from discovery yet which keys sign registration tokens:"
                  + " try again later"
              : "this colony has no discovery that could issue registration tokens: join with an"
                  + " invitation");
    }
    return keys;
  }

  /**
   * Reads discovery's keys and accepts those that follow from the accepted ones.
   *
   * @return fails with a message for people; the accepted keys stay then
   */
  CompletionStage<Done> refresh() {
    return CompletableFuture.supplyAsync(this::refreshNow, blocking);
  }

  private synchronized Done refreshNow() {
    if (discovery.isEmpty()) {
      return Done.getInstance();
    }
    try {
      List<PublishedKey> published = discovery.get().tokenKeys();
      AcceptedKeys before = accepted;
      AcceptedKeys now = following(before, published);
      if (before == null || !now.equals(before)) {
        file.save(now);
        accepted = now;
        log.info("Registration tokens of these keys are believed: {}", now);
      }
      return Done.getInstance();
    } catch (RpcException | IOException e) {
      throw new CompletionException(e);
    }
  }

  /** A key that somebody configured and that is not known yet starts a succession of its own. */
  private AcceptedKeys following(@Nullable AcceptedKeys before, List<PublishedKey> published) {
    if (pinned.isPresent() && (before == null || !before.isKnown(pinned.get()))) {
      return AcceptedKeys.pinned(pinned.get(), published);
    }
    return before == null ? AcceptedKeys.onFirstUse(published) : before.follow(published);
  }

  @Override
  public CompletionStage<RegistrationToken> verify(String token) {
    boolean mayHelp = accepted == null || verifier.unknownKey(token).isPresent();
    if (mayHelp && discovery.isPresent() && onDemand.tryAcquire()) {
      return refresh()
          .handle(
              (done, failure) -> {
                if (failure != null) {
                  log.warn(
                      "Discovery's keys were not read for a token of a key that is not known: {}",
                      coral.rpc.FailureStatus.unwrap(failure).getMessage());
                }
                return verifier.verify(token, clock.instant());
              });
    }
    return CompletableFuture.completedStage(token)
        .thenApply(shown -> verifier.verify(shown, clock.instant()));
  }
}
