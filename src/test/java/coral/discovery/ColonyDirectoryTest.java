package coral.discovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Failure;
import coral.model.IpPrefix;
import coral.model.RefusedException;
import coral.model.WireGuardKey;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The directory against the dumbest model: a map of owner and two times, and if after if. */
final class ColonyDirectoryTest {
  private static final Duration LIFETIME = Duration.ofMinutes(5);
  private static final Duration RETENTION = Duration.ofSeconds(1000);
  private static final int MAX = 5;

  private record Owned(String owner, Instant live, Instant owned) {}

  /** The same for every mesh id. */
  static Retention days(int days) {
    return new Retention(Duration.ofDays(days), Duration.ZERO, Duration.ofDays(days));
  }

  static Announcement announcement(String meshId) {
    byte[] key = new byte[32];
    key[0] = 1;
    return new Announcement(
        new ColonyId(meshId),
        WireGuardKey.of(key),
        List.of(new Endpoint("203.0.113.1", 41820)),
        Announcement.ipv4(IpPrefix.parseAddress("10.42.0.1")),
        Optional.empty(),
        9000,
        Map.of());
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void itDecidesAsTheModelDoes(long seed) {
    Random random = new Random(seed);
    ColonyDirectory directory =
        new ColonyDirectory(MAX, LIFETIME, new Retention(RETENTION, Duration.ZERO, RETENTION));
    Map<String, Owned> model = new HashMap<>();
    Instant now = Instant.EPOCH;
    for (int step = 0; step < 3000; step++) {
      String where = "seed " + seed + ", step " + step;
      now = now.plusSeconds(random.nextInt(120));
      Instant at = now;
      String mesh = "mesh-" + random.nextInt(8);
      String secret = "hash-" + random.nextInt(2);
      Owned owned = model.get(mesh);
      switch (random.nextInt(5)) {
        case 0 -> {
          boolean live = owned != null && now.isBefore(owned.live());
          assertEquals(live, directory.lookup(new ColonyId(mesh), now).isPresent(), where);
        }
        case 1 -> {
          model.values().removeIf(o -> !at.isBefore(o.owned()));
          directory.remove(directory.abandoned(now));
        }
        default -> {
          Optional<Failure> expected = Optional.empty();
          if (owned != null && now.isBefore(owned.owned()) && !owned.owner().equals(secret)) {
            expected = Optional.of(Failure.MESH_ID_TAKEN);
          } else if (owned == null && model.size() == MAX) {
            expected = Optional.of(Failure.LIMIT_REACHED);
          } else {
            Instant live = now.plus(LIFETIME);
            model.put(mesh, new Owned(secret, live, live.plus(RETENTION)));
          }
          Optional<Failure> actual = Optional.empty();
          try {
            directory.put(directory.announce(announcement(mesh), secret, now));
          } catch (RefusedException e) {
            actual = Optional.of(e.refused().failure());
          }
          assertEquals(expected, actual, where);
        }
      }
      long live = model.values().stream().filter(o -> at.isBefore(o.live())).count();
      assertEquals(live, directory.live(now), where);
    }
  }

  @Test
  void aMeshIdThatWasAnnouncedOnlyBrieflyIsKeptOnlyBriefly() {
    ColonyDirectory directory =
        new ColonyDirectory(
            MAX,
            LIFETIME,
            new Retention(Duration.ofDays(1), Duration.ofHours(1), Duration.ofDays(30)));
    Instant start = Instant.EPOCH;
    directory.put(directory.announce(announcement("brief"), "one", start));
    directory.put(directory.announce(announcement("long"), "one", start));
    Instant hour = start.plus(Duration.ofHours(1));
    directory.put(directory.announce(announcement("brief"), "one", hour.minusMillis(1)));
    directory.put(directory.announce(announcement("long"), "one", hour));
    Instant day = hour.plus(LIFETIME).plus(Duration.ofDays(1));
    assertEquals(List.of(new ColonyId("brief")), directory.abandoned(day));
    assertEquals(List.of("one"), directory.owners(new ColonyId("long"), day));
    directory.put(directory.announce(announcement("brief"), "two", day));
    assertEquals(day, directory.lookup(new ColonyId("brief"), day).orElseThrow().ownedSince());
    Instant month = hour.plus(LIFETIME).plus(Duration.ofDays(30));
    assertTrue(directory.owned(new ColonyId("long"), month.minusMillis(1)).isPresent());
    assertTrue(directory.owned(new ColonyId("long"), month).isEmpty());
  }

  private static final ColonyId A = new ColonyId("a");
  private static final Duration GRACE = Duration.ofHours(24);

  private static ColonyDirectory owned(String secret) {
    ColonyDirectory directory = new ColonyDirectory(MAX, LIFETIME, days(30));
    directory.put(directory.announce(announcement("a"), secret, Instant.EPOCH));
    return directory;
  }

  /** Two active secrets for each colony: the present and the former one, while it lasts. */
  @Test
  void afterARotationBothSecretsHoldUntilTheGraceIsOver() {
    ColonyDirectory directory = owned("one");
    directory.put(directory.rotate(A, "one", "two", GRACE, Instant.EPOCH));
    Instant end = Instant.EPOCH.plus(GRACE);
    assertEquals(List.of("two", "one"), directory.owners(A, end.minusMillis(1)));
    directory.put(directory.announce(announcement("a"), "one", end.minusMillis(1)));
    directory.put(directory.announce(announcement("a"), "two", end.minusMillis(1)));
    assertEquals(List.of("two", "one"), directory.owners(A, end.minusMillis(1)));
    assertEquals(List.of("two"), directory.owners(A, end));
    assertEquals(
        Failure.MESH_ID_TAKEN,
        assertThrows(
                RefusedException.class, () -> directory.announce(announcement("a"), "one", end))
            .refused()
            .failure());
    ColonyEntry later = directory.announce(announcement("a"), "two", end);
    assertEquals(ColonySecrets.of("two"), later.secrets(), "what has ended is kept no longer");
    assertEquals(Instant.EPOCH, later.ownedSince());
  }

  @Test
  void aRotationWithoutGraceEndsTheFormerSecretAtOnce() {
    ColonyDirectory directory = owned("one");
    directory.put(directory.rotate(A, "one", "two", Duration.ZERO, Instant.EPOCH));
    assertEquals(List.of("two"), directory.owners(A, Instant.EPOCH));
  }

  @Test
  void aRotationThatWasDoneIsDoneAgainWithoutEffect() {
    ColonyDirectory directory = owned("one");
    ColonyEntry rotated = directory.rotate(A, "one", "two", GRACE, Instant.EPOCH);
    directory.put(rotated);
    Instant later = Instant.EPOCH.plusSeconds(60);
    assertEquals(rotated, directory.rotate(A, "one", "two", GRACE, later));
    assertEquals(rotated, directory.rotate(A, "two", "two", GRACE, later));
  }

  /** The former secret may be the one that was given away. */
  @Test
  void theFormerSecretReplacesNothing() {
    ColonyDirectory directory = owned("one");
    directory.put(directory.rotate(A, "one", "two", GRACE, Instant.EPOCH));
    assertEquals(Failure.FAILED_PRECONDITION, refusal(directory, "one", "three", Instant.EPOCH));
    assertEquals(
        Failure.UNAUTHENTICATED, refusal(directory, "one", "two", Instant.EPOCH.plus(GRACE)));
    assertEquals(Failure.UNAUTHENTICATED, refusal(directory, "other", "two", Instant.EPOCH));
    directory.put(directory.rotate(A, "two", "three", GRACE, Instant.EPOCH));
    assertEquals(List.of("three", "two"), directory.owners(A, Instant.EPOCH));
  }

  private static Failure refusal(
      ColonyDirectory directory, String proven, String next, Instant now) {
    return assertThrows(RefusedException.class, () -> directory.rotate(A, proven, next, GRACE, now))
        .refused()
        .failure();
  }
}
