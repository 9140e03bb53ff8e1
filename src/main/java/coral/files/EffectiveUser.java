package coral.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;

/** The user whose rights this process has, as the kernel says it without a native call. */
final class EffectiveUser {
  /** The line of {@code /proc/self/status}: real, effective, saved and file system user. */
  private static final String LINE = "Uid:";

  private static final int ROOT = 0;

  private EffectiveUser() {}

  /** Empty where there is no {@code /proc}. */
  private static Optional<Integer> id() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return Optional.empty();
    }
    for (String line : Files.readAllLines(status)) {
      if (line.startsWith(LINE)) {
        return Optional.of(Integer.parseInt(line.split("\\s+", -1)[2]));
      }
    }
    return Optional.empty();
  }

  /**
   * Requires that a file belongs to this user, or to root, who could read it anyway.
   *
   * @throws IOException naming the file and the chown that mends it
   */
  static void requireOwnership(Path file, LinkOption... options) throws IOException {
    Optional<Integer> user = id();
    if (user.isEmpty()) {
      return;
    }
    int owner = (Integer) Files.getAttribute(file, "unix:uid", options);
    if (owner != ROOT && owner != user.get()) {
      throw new IOException(
          file
              + " belongs to user "
              + owner
              + ", who could change it; take it over with: chown "
              + user.get()
              + " "
              + file);
    }
  }
}
