package coral.discovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.discovery.LimitSettings.Limit;
import coral.model.ColonyId;
import coral.model.IpPrefix;
import coral.model.Secret;
import coral.rpc.RateLimitedException;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** What a check costs is counted: each task is one Argon2id, and runs when the test says so. */
final class SecretCheckTest {
  private static final ColonyId COLONY = new ColonyId("colony");
  private static final Secret SECRET = new Secret("the right secret");
  private static final Secret WRONG = new Secret("a wrong secret");
  private static final List<String> HASHES = List.of(SecretHash.of(SECRET));
  private static final InetAddress SOURCE = IpPrefix.parseAddress("192.0.2.1");
  private static final InetAddress OTHER = IpPrefix.parseAddress("192.0.2.2");
  private static final Duration SECOND = Duration.ofSeconds(1);

  /** Of a source 100 requests, a wrong secret weighs 10; of a colony 20 comparisons, 30 of all. */
  static DiscoveryLimits limits(InstantSource clock, int newColonies) {
    return new DiscoveryLimits(
        new LimitSettings(
            new Limit(100, SECOND),
            new Limit(100, SECOND),
            10,
            new Limit(newColonies, Duration.ofMinutes(1)),
            new Limit(20, SECOND),
            new Limit(30, SECOND),
            new Limit(2, SECOND),
            new Limit(4, SECOND),
            new Limit(6, SECOND)),
        clock);
  }

  private Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private final Queue<Runnable> tasks = new ArrayDeque<>();
  private final SecretCheck check = new SecretCheck(() -> now, limits(() -> now, 5), tasks::add, 4);

  private CompletionStage<Optional<String>> ask(Secret secret, InetAddress source) {
    return check.match(COLONY, secret, HASHES, source);
  }

  private int run() {
    int computed = 0;
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      task.run();
      computed++;
    }
    return computed;
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    assertTrue(stage.toCompletableFuture().isDone(), "it is answered");
    return stage.toCompletableFuture().get();
  }

  private InetAddress source(int i) {
    return IpPrefix.parseAddress("198.51.100." + i);
  }

  @Test
  void s2WrongSecretAndUnknownColonyCostOneHashEachAndAnswerTheSame() throws Exception {
    CompletionStage<Optional<String>> wrong = ask(WRONG, SOURCE);
    assertEquals(1, run());
    CompletionStage<Optional<String>> unknown =
        check.match(new ColonyId("unknown"), WRONG, List.of(), SOURCE);
    assertEquals(1, run());
    assertEquals(Optional.empty(), get(wrong));
    assertEquals(Optional.empty(), get(unknown));
    // Nor does it tell that the colony has two secrets at present.
    String next = SecretHash.withSaltOf(HASHES.get(0), new Secret("the next secret"));
    CompletionStage<Optional<String>> rotating =
        check.match(COLONY, WRONG, List.of(next, HASHES.get(0)), SOURCE);
    assertEquals(1, run());
    assertEquals(Optional.empty(), get(rotating));
  }

  /** Fact table, S2: medians of 200 samples within 10 %. A measurement, for a quiet machine. */
  @Test
  @EnabledIfSystemProperty(named = "coral.measure", matches = "true")
  void s2MediansOfWrongSecretAndUnknownColonyAreClose() {
    long[] wrong = new long[200];
    long[] unknown = new long[200];
    for (int i = 0; i < wrong.length; i++) {
      now = now.plusSeconds(1000);
      long begin = System.nanoTime();
      ask(WRONG, SOURCE);
      run();
      wrong[i] = System.nanoTime() - begin;
      begin = System.nanoTime();
      check.match(new ColonyId("unknown"), WRONG, List.of(), SOURCE);
      run();
      unknown[i] = System.nanoTime() - begin;
    }
    Arrays.sort(wrong);
    Arrays.sort(unknown);
    double ratio = (double) wrong[100] / unknown[100];
    System.out.printf(
        "wrong secret %.2f ms, unknown colony %.2f ms%n", wrong[100] / 1e6, unknown[100] / 1e6);
    assertTrue(ratio > 0.9 && ratio < 1.1, "ratio " + ratio);
  }

  @Test
  void aProofIsRememberedForAShortWhileAfterItsLastUse() throws Exception {
    CompletionStage<Optional<String>> first = ask(SECRET, SOURCE);
    assertEquals(1, run());
    assertEquals(Optional.of(HASHES.get(0)), get(first));
    for (int i = 0; i < 3; i++) {
      now = now.plus(ProvenSecrets.LIFETIME).minusMillis(1);
      assertEquals(Optional.of(HASHES.get(0)), get(ask(SECRET, SOURCE)));
      assertEquals(0, run());
    }
    now = now.plus(ProvenSecrets.LIFETIME);
    ask(SECRET, SOURCE);
    assertEquals(1, run());
  }

  @Test
  void aProofEndsWithItsHash() throws Exception {
    ask(SECRET, SOURCE);
    run();
    String next = SecretHash.withSaltOf(HASHES.get(0), new Secret("the next secret"));
    CompletionStage<Optional<String>> after = check.match(COLONY, SECRET, List.of(next), SOURCE);
    assertEquals(1, run());
    assertEquals(Optional.empty(), get(after));
  }

  @Test
  void s3OneQuestionAtATimeIsComputedOnce() throws Exception {
    List<CompletionStage<Optional<String>>> same =
        List.of(ask(SECRET, SOURCE), ask(SECRET, OTHER), ask(SECRET, SOURCE));
    CompletionStage<Optional<String>> other = ask(WRONG, SOURCE);
    assertEquals(2, run());
    for (CompletionStage<Optional<String>> answer : same) {
      assertEquals(Optional.of(HASHES.get(0)), get(answer));
    }
    assertEquals(Optional.empty(), get(other));
  }

  @Test
  void s3ComputationsThatWaitAreBounded() throws Exception {
    for (int i = 0; i < 4; i++) {
      ask(new Secret("wrong " + i), source(i));
    }
    RateLimitedException refused =
        assertThrows(RateLimitedException.class, () -> ask(SECRET, SOURCE));
    assertEquals(SECOND, refused.delay());
    assertThrows(RateLimitedException.class, () -> check.first(COLONY, SECRET));
    assertEquals(4, run());
    CompletionStage<Optional<String>> again = ask(SECRET, SOURCE);
    assertEquals(1, run());
    assertEquals(Optional.of(HASHES.get(0)), get(again));
  }

  @Test
  void aDefectOfTheHashingIsAFailureForAllWhoWaitAndNotRemembered() {
    List<String> broken = List.of("not a hash");
    CompletionStage<Optional<String>> one = check.match(COLONY, SECRET, broken, SOURCE);
    CompletionStage<Optional<String>> two = check.match(COLONY, SECRET, broken, SOURCE);
    assertEquals(1, run());
    assertThrows(ExecutionException.class, () -> get(one));
    assertThrows(ExecutionException.class, () -> get(two));
    check.match(COLONY, SECRET, broken, SOURCE);
    assertEquals(1, run());
  }

  /** A wrong secret weighs as ten requests: ten wrong ones in a row are what a source has. */
  @Test
  void s1ASourceOfWrongSecretsIsRefusedBeforeAnyHash() throws Exception {
    for (int i = 0; i < 10; i++) {
      ask(new Secret("wrong " + i), SOURCE);
      assertEquals(1, run());
    }
    RateLimitedException refused =
        assertThrows(RateLimitedException.class, () -> ask(WRONG, SOURCE));
    assertEquals(SECOND, refused.delay());
    assertThrows(RateLimitedException.class, () -> ask(SECRET, SOURCE), "not even the right one");
    assertEquals(0, run());
    CompletionStage<Optional<String>> other = ask(SECRET, OTHER);
    assertEquals(1, run());
    assertEquals(Optional.of(HASHES.get(0)), get(other));
    now = now.plus(SECOND);
    ask(WRONG, SOURCE);
    assertEquals(1, run());
  }

  /** From whatever addresses: a colony whose proof is remembered does not notice. */
  @Test
  void s1ComparisonsForOneColonyAreLimitedAndNobodyCanUseUpWhatProvesItself() throws Exception {
    ask(SECRET, SOURCE);
    run();
    for (int i = 1; i < 20; i++) {
      ask(new Secret("wrong " + i), source(i));
      assertEquals(1, run());
    }
    RateLimitedException refused =
        assertThrows(RateLimitedException.class, () -> ask(WRONG, OTHER));
    assertEquals(SECOND, refused.delay());
    assertEquals(Optional.of(HASHES.get(0)), get(ask(SECRET, SOURCE)));
    check.match(new ColonyId("another"), WRONG, List.of(), OTHER);
    assertEquals(1, run());
  }

  @Test
  void s1ComparisonsOfAllTogetherAreLimited() {
    for (int i = 0; i < 30; i++) {
      check.match(new ColonyId("unknown-" + i), WRONG, List.of(), source(i));
      assertEquals(1, run());
    }
    assertThrows(
        RateLimitedException.class,
        () -> check.match(new ColonyId("unknown-30"), WRONG, List.of(), OTHER));
    assertEquals(0, run());
    now = now.plus(SECOND);
    check.match(new ColonyId("unknown-30"), WRONG, List.of(), OTHER);
    assertEquals(1, run());
  }
}
