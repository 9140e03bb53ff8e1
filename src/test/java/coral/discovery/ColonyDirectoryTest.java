package coral.discovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
    assertEquals(Optional.of("one"), directory.owner(new ColonyId("long"), day));
    directory.put(directory.announce(announcement("brief"), "two", day));
    assertEquals(day, directory.lookup(new ColonyId("brief"), day).orElseThrow().ownedSince());
    Instant month = hour.plus(LIFETIME).plus(Duration.ofDays(30));
    assertTrue(directory.owner(new ColonyId("long"), month.minusMillis(1)).isPresent());
    assertTrue(directory.owner(new ColonyId("long"), month).isEmpty());
  }
}
