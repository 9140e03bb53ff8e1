package coral.discovery;

import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.Refused;
import coral.model.Secret;
import coral.rpc.RateLimitedException;
import java.net.InetAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * The one place where colony secrets are hashed and compared. Each step is dearer than the one
 * before it: the source's limit, a proof that is remembered, the limits of what is not, and only
 * then an Argon2id, of which few run and some wait. Safe for use by several threads.
 *
 * <p>A secret for a mesh id that nobody owns is compared with the hash of a secret that nobody has:
 * it costs the same, so that the time does not tell which mesh ids exist.
 */
final class SecretCheck {
  private static final Duration WHEN_BUSY = Duration.ofSeconds(1);

  /** The same question at the same time is computed once: a fleet comes with one secret. */
  private record Question(String proof, List<String> hashes) {}

  private final DiscoveryLimits limits;
  private final Executor hashing;
  private final int maxHashing;
  private final ProvenSecrets proven;
  private final String nobodys = SecretHash.of(new Secret(unknowable()));
  private final AtomicInteger inFlight = new AtomicInteger();
  private final Map<Question, CompletableFuture<Optional<String>>> asked =
      new ConcurrentHashMap<>();

  /**
   * Checks secrets.
   *
   * @param hashing runs Argon2id; its threads bound how many run at once
   * @param maxHashing computations running and waiting; more are refused
   */
  SecretCheck(InstantSource clock, DiscoveryLimits limits, Executor hashing, int maxHashing) {
    this.limits = limits;
    this.hashing = hashing;
    this.maxHashing = maxHashing;
    this.proven = new ProvenSecrets(clock);
  }

  /**
   * Which of a colony's hashes is of the secret. A wrong secret counts against its source.
   *
   * @param hashes that hold now; none for a mesh id that nobody owns
   * @return empty for a wrong secret
   * @throws RateLimitedException if the source, or all together, came too often
   */
  CompletionStage<Optional<String>> match(
      ColonyId meshId, Secret secret, List<String> hashes, InetAddress source) {
    limits.requireSource(source);
    Optional<String> known = proven.find(meshId, secret, hashes);
    if (known.isPresent()) {
      return CompletableFuture.completedFuture(known);
    }
    limits.unproven(source);
    return compare(meshId, secret, hashes)
        .thenApply(
            found -> {
              found.ifPresentOrElse(
                  hash -> proven.add(meshId, secret, hash), () -> limits.wrong(source));
              return found;
            });
  }

  private CompletionStage<Optional<String>> compare(
      ColonyId meshId, Secret secret, List<String> hashes) {
    Question question = new Question(proven.proof(meshId, secret), List.copyOf(hashes));
    CompletableFuture<Optional<String>> answer = new CompletableFuture<>();
    CompletableFuture<Optional<String>> same = asked.putIfAbsent(question, answer);
    if (same != null) {
      return same;
    }
    try {
      limits.requireComparison(meshId);
      compute(() -> among(hashes, secret))
          .whenComplete(
              (found, failure) -> {
                asked.remove(question);
                if (failure == null) {
                  answer.complete(found);
                } else {
                  answer.completeExceptionally(failure);
                }
              });
    } catch (RateLimitedException e) {
      asked.remove(question);
      answer.completeExceptionally(e); // for those who have joined meanwhile
      throw e;
    }
    return answer;
  }

  private Optional<String> among(List<String> hashes, Secret secret) {
    return SecretHash.among(hashes.isEmpty() ? List.of(nobodys) : hashes, secret)
        .filter(hashes::contains);
  }

  /**
   * The hash of a colony's first secret.
   *
   * @throws RateLimitedException if too many wait
   */
  CompletionStage<String> first(ColonyId meshId, Secret secret) {
    return remembered(meshId, secret, compute(() -> SecretHash.of(secret)));
  }

  /**
   * The hash of a colony's next secret, equal to its current one if the secrets are. It costs and
   * counts as a comparison does.
   *
   * @throws RateLimitedException if there were too many, or too many wait
   */
  CompletionStage<String> next(ColonyId meshId, Secret secret, String current) {
    limits.requireComparison(meshId);
    return remembered(meshId, secret, compute(() -> SecretHash.withSaltOf(current, secret)));
  }

  private CompletionStage<String> remembered(
      ColonyId meshId, Secret secret, CompletionStage<String> hash) {
    return hash.thenApply(
        value -> {
          proven.add(meshId, secret, value);
          return value;
        });
  }

  private <T> CompletionStage<T> compute(Supplier<T> work) {
    if (inFlight.incrementAndGet() > maxHashing) {
      inFlight.decrementAndGet();
      throw new RateLimitedException(
          new Refused(Failure.LIMIT_REACHED, "too many secrets are being checked: try again"),
          WHEN_BUSY);
    }
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return work.get();
          } finally {
            inFlight.decrementAndGet();
          }
        },
        hashing);
  }

  private static String unknowable() {
    byte[] bytes = new byte[32];
    new SecureRandom().nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}
