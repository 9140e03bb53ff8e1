package coral.colony;

import coral.files.SecureFiles;
import coral.model.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The secret of a colony in memory and on disk: the present one, the one that is about to follow
 * it, and the one before it, as long as it holds. What is about to follow is on disk before anybody
 * else hears of it, so that no crash leaves a secret that only discovery knows. Thread-safe.
 */
final class ColonySecrets {
  /** Longer than any secret that a colony makes. */
  private static final int MAX_BYTES = 1 << 10;

  private record Former(Secret secret, Instant endsAt) {}

  private final ColonyFiles files;
  private final InstantSource clock;
  private volatile Secret current;
  private volatile @Nullable Former former;

  private ColonySecrets(
      ColonyFiles files, InstantSource clock, Secret current, @Nullable Former former) {
    this.files = files;
    this.clock = clock;
    this.current = current;
    this.former = former;
  }

  /** Reads the secret, and the one before it if there is one. */
  static ColonySecrets load(ColonyFiles files, InstantSource clock) throws IOException {
    return new ColonySecrets(files, clock, files.secret(), former(files));
  }

  private static @Nullable Former former(ColonyFiles files) throws IOException {
    Path file = files.formerSecretFile();
    if (!Files.exists(file)) {
      return null;
    }
    String[] lines =
        new String(SecureFiles.readPrivate(file, MAX_BYTES), StandardCharsets.UTF_8)
            .split("\n", -1);
    try {
      return new Former(
          ColonyFiles.secret(lines[0]), Instant.ofEpochSecond(Long.parseLong(lines[1])));
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      // Without its cause, which may quote the secret.
      throw new IOException(file + " does not hold a colony secret and when it ends");
    }
  }

  /** The present one. */
  Secret current() {
    return current;
  }

  /** Whether this is the present secret, or the one before it and that holds still. */
  boolean matches(String shown) {
    Former before = former;
    boolean isFormer = before != null && before.secret().matches(shown);
    return current.matches(shown)
        || (isFormer && before != null && clock.instant().isBefore(before.endsAt()));
  }

  /** The secret that was about to follow when the colony stopped. */
  Optional<Secret> next() throws IOException {
    Path file = files.nextSecretFile();
    return Files.exists(file) ? Optional.of(files.secretIn(file)) : Optional.empty();
  }

  /** A secret that may follow, on disk: the one of a rotation that was broken off, or a new one. */
  synchronized Secret prepare() throws IOException {
    Optional<Secret> begun = next();
    if (begun.isPresent()) {
      return begun.get();
    }
    Secret secret = ColonyFiles.newSecret();
    SecureFiles.write(files.nextSecretFile(), bytes(secret.reveal() + "\n"));
    return secret;
  }

  /** What was prepared is the present secret, on disk and then in memory. */
  synchronized void commit(Secret next, Instant formerEndsAt) throws IOException {
    if (!next.equals(current)) {
      Former before = new Former(current, formerEndsAt);
      SecureFiles.write(
          files.formerSecretFile(),
          bytes(before.secret().reveal() + "\n" + formerEndsAt.getEpochSecond()));
      SecureFiles.write(files.secretFile(), bytes(next.reveal() + "\n"));
      current = next;
      former = before;
    }
    Files.deleteIfExists(files.nextSecretFile());
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
