package coral.discovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.ColonyId;
import coral.model.Ed25519PublicKey;
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

/** The directory against the dumbest model: a map of who owns it until when, and if after if. */
final class ColonyDirectoryTest {
  private static final Duration LIFETIME = Duration.ofMinutes(5);
  private static final Duration RETENTION = Duration.ofSeconds(1000);
  private static final int MAX = 5;

  /** RFC 8032, section 7.1. */
  private static final Ed25519PublicKey KEY =
      Ed25519PublicKey.parse("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");

  private static final Ed25519PublicKey OTHER_KEY =
      Ed25519PublicKey.parse("PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=");

  /** With the owner's last sequence; no key is an owner of a secret alone. */
  private record Owned(
      String secret, Optional<Ed25519PublicKey> key, long sequence, Instant live, Instant owned) {}

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
          long sequence = random.nextInt(3000);
          Optional<Ed25519PublicKey> key =
              switch (random.nextInt(4)) {
                case 0 -> Optional.empty();
                case 1 -> Optional.of(OTHER_KEY);
                default -> Optional.of(KEY);
              };
          Optional<Failure> expected = Optional.empty();
          Optional<Owned> owner = Optional.ofNullable(owned).filter(o -> at.isBefore(o.owned()));
          Optional<Ed25519PublicKey> ownerKey = owner.flatMap(Owned::key);
          if (ownerKey.isPresent() && !ownerKey.equals(key)) {
            expected = Optional.of(Failure.MESH_ID_TAKEN);
          } else if (ownerKey.isPresent() && sequence <= owner.orElseThrow().sequence()) {
            expected = Optional.of(Failure.FAILED_PRECONDITION);
          } else if (owner.isPresent() && !owner.get().secret().equals(secret)) {
            expected = Optional.of(Failure.MESH_ID_TAKEN);
          } else if (owned == null && model.size() == MAX) {
            expected = Optional.of(Failure.LIMIT_REACHED);
          } else {
            Instant live = now.plus(LIFETIME);
            model.put(mesh, new Owned(secret, key, sequence, live, live.plus(RETENTION)));
          }
          Optional<Failure> actual = Optional.empty();
          try {
            directory.put(
                directory.announce(
                    announcement(mesh),
                    secret,
                    key.map(shown -> new OwnerClaim(shown, sequence)),
                    now));
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
    directory.put(directory.announce(announcement("brief"), "one", Optional.empty(), start));
    directory.put(directory.announce(announcement("long"), "one", Optional.empty(), start));
    Instant hour = start.plus(Duration.ofHours(1));
    directory.put(
        directory.announce(announcement("brief"), "one", Optional.empty(), hour.minusMillis(1)));
    directory.put(directory.announce(announcement("long"), "one", Optional.empty(), hour));
    Instant day = hour.plus(LIFETIME).plus(Duration.ofDays(1));
    assertEquals(List.of(new ColonyId("brief")), directory.abandoned(day));
    assertEquals(List.of("one"), directory.secrets(new ColonyId("long"), day));
    directory.put(directory.announce(announcement("brief"), "two", Optional.empty(), day));
    assertEquals(day, directory.lookup(new ColonyId("brief"), day).orElseThrow().ownedSince());
    Instant month = hour.plus(LIFETIME).plus(Duration.ofDays(30));
    assertTrue(directory.owned(new ColonyId("long"), month.minusMillis(1)).isPresent());
    assertTrue(directory.owned(new ColonyId("long"), month).isEmpty());
  }

  private static final ColonyId A = new ColonyId("a");
  private static final Duration GRACE = Duration.ofHours(24);

  private static ColonyDirectory owned(String secret) {
    ColonyDirectory directory = new ColonyDirectory(MAX, LIFETIME, days(30));
    directory.put(directory.announce(announcement("a"), secret, Optional.empty(), Instant.EPOCH));
    return directory;
  }

  /** Two active secrets for each colony: the present and the former one, while it lasts. */
  @Test
  void afterARotationBothSecretsHoldUntilTheGraceIsOver() {
    ColonyDirectory directory = owned("one");
    directory.put(directory.rotate(A, "one", "two", GRACE, Optional.empty(), Instant.EPOCH));
    Instant end = Instant.EPOCH.plus(GRACE);
    assertEquals(List.of("two", "one"), directory.secrets(A, end.minusMillis(1)));
    directory.put(
        directory.announce(announcement("a"), "one", Optional.empty(), end.minusMillis(1)));
    directory.put(
        directory.announce(announcement("a"), "two", Optional.empty(), end.minusMillis(1)));
    assertEquals(List.of("two", "one"), directory.secrets(A, end.minusMillis(1)));
    assertEquals(List.of("two"), directory.secrets(A, end));
    assertEquals(
        Failure.MESH_ID_TAKEN,
        assertThrows(
                RefusedException.class,
                () -> directory.announce(announcement("a"), "one", Optional.empty(), end))
            .refused()
            .failure());
    ColonyEntry later = directory.announce(announcement("a"), "two", Optional.empty(), end);
    assertEquals(ColonySecrets.of("two"), later.secrets(), "what has ended is kept no longer");
    assertEquals(Instant.EPOCH, later.ownedSince());
  }

  @Test
  void aRotationWithoutGraceEndsTheFormerSecretAtOnce() {
    ColonyDirectory directory = owned("one");
    directory.put(
        directory.rotate(A, "one", "two", Duration.ZERO, Optional.empty(), Instant.EPOCH));
    assertEquals(List.of("two"), directory.secrets(A, Instant.EPOCH));
  }

  @Test
  void aRotationThatWasDoneIsDoneAgainWithoutEffect() {
    ColonyDirectory directory = owned("one");
    ColonyEntry rotated = directory.rotate(A, "one", "two", GRACE, Optional.empty(), Instant.EPOCH);
    directory.put(rotated);
    Instant later = Instant.EPOCH.plusSeconds(60);
    assertEquals(rotated, directory.rotate(A, "one", "two", GRACE, Optional.empty(), later));
    assertEquals(rotated, directory.rotate(A, "two", "two", GRACE, Optional.empty(), later));
  }

  /** The former secret may be the one that was given away. */
  @Test
  void theFormerSecretReplacesNothing() {
    ColonyDirectory directory = owned("one");
    directory.put(directory.rotate(A, "one", "two", GRACE, Optional.empty(), Instant.EPOCH));
    assertEquals(Failure.FAILED_PRECONDITION, refusal(directory, "one", "three", Instant.EPOCH));
    assertEquals(
        Failure.UNAUTHENTICATED, refusal(directory, "one", "two", Instant.EPOCH.plus(GRACE)));
    assertEquals(Failure.UNAUTHENTICATED, refusal(directory, "other", "two", Instant.EPOCH));
    directory.put(directory.rotate(A, "two", "three", GRACE, Optional.empty(), Instant.EPOCH));
    assertEquals(List.of("three", "two"), directory.secrets(A, Instant.EPOCH));
  }

  private static Failure refusal(
      ColonyDirectory directory, String proven, String next, Instant now) {
    return assertThrows(
            RefusedException.class,
            () -> directory.rotate(A, proven, next, GRACE, Optional.empty(), now))
        .refused()
        .failure();
  }
}
