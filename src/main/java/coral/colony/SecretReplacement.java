package coral.colony;

import coral.model.Failure;
import coral.model.RefusedException;
import coral.model.Secret;
import coral.rpc.RpcException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives the colony another secret, here and at discovery: first on disk as the next one, then at
 * discovery, then on disk as the present one. Whatever breaks off is gone on with at the next start
 * or by the next request, and to tell discovery twice is safe.
 */
final class SecretReplacement {
  private static final Logger log = LoggerFactory.getLogger(SecretReplacement.class);

  static final Duration DEFAULT_GRACE = Duration.ofHours(24);
  static final Duration MAX_GRACE = Duration.ofDays(30);

  /**
   * The colony has another secret.
   *
   * @param formerEndsAt when the one before it proves nothing any more
   */
  record Replaced(Secret secret, Instant formerEndsAt) {}

  private final ColonySecrets secrets;
  private final Optional<DiscoveryClient> discovery;
  private final InstantSource clock;
  private final Executor blocking;

  SecretReplacement(
      ColonySecrets secrets,
      Optional<DiscoveryClient> discovery,
      InstantSource clock,
      Executor blocking) {
    this.secrets = secrets;
    this.discovery = discovery;
    this.clock = clock;
    this.blocking = blocking;
  }

  /**
   * Replaces the secret.
   *
   * @param grace how long the present one holds on
   * @return fails with NOT_READY if discovery cannot be asked; then the present secret stays
   */
  CompletionStage<Replaced> replace(Duration grace) {
    return CompletableFuture.supplyAsync(() -> replaceNow(grace), blocking);
  }

  private synchronized Replaced replaceNow(Duration grace) {
    try {
      Secret next = secrets.prepare();
      Instant formerEndsAt =
          discovery.isPresent()
              ? discovery.get().rotateSecret(secrets.current(), next, grace)
              : clock.instant().plus(grace);
      secrets.commit(next, formerEndsAt);
      log.info("The colony's secret was replaced; the former one ends at {}", formerEndsAt);
      return new Replaced(next, formerEndsAt);
    } catch (RpcException e) {
      throw new RefusedException(
          e.failure() == Failure.UNAUTHENTICATED || e.failure() == Failure.MESH_ID_TAKEN
              ? Failure.FAILED_PRECONDITION
              : Failure.NOT_READY,
          "the secret stays as it is, because discovery did not take the next one: "
              + e.getMessage());
    } catch (IOException e) {
      log.error("The colony's secret was not replaced", e);
      throw new RefusedException(
          Failure.STORE_UNAVAILABLE,
          "the colony cannot write its secret to disk, see its log: ask again when it can");
    }
  }

  /** Goes on with what a crash broke off; discovery that is away is asked at the next start. */
  CompletionStage<Boolean> resume() {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            if (secrets.next().isEmpty()) {
              return false;
            }
            replaceNow(DEFAULT_GRACE);
            return true;
          } catch (RefusedException | IOException e) {
            log.warn("A replacement of the colony's secret is not finished: {}", e.getMessage());
            return false;
          }
        },
        blocking);
  }
}
