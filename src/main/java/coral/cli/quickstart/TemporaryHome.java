package coral.cli.quickstart;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;

/** A {@code CORAL_HOME} for one quickstart, closed to other users, and gone with it. */
final class TemporaryHome implements AutoCloseable {
  private static final int DELETE_ATTEMPTS = 3;

  private final Path directory;

  private TemporaryHome(Path directory) {
    this.directory = directory;
  }

  static TemporaryHome create() throws IOException {
    Path directory =
        Files.createTempDirectory(
            "coral-quickstart-",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Files.createDirectory(directory.resolve("tmp"));
    return new TemporaryHome(directory);
  }

  Path directory() {
    return directory;
  }

  /** For what libraries unpack. */
  Path temporaryFiles() {
    return directory.resolve("tmp");
  }

  /** Deletes it with all that is in it; links are not followed. */
  @Override
  public void close() {
    for (int attempt = 1; ; attempt++) {
      try {
        delete();
        return;
      } catch (NoSuchFileException e) {
        return;
      } catch (IOException e) {
        // A process that just ended may have written once more while the folder was listed.
        if (attempt == DELETE_ATTEMPTS) {
          throw new UncheckedIOException("cannot delete " + directory, e);
        }
      }
    }
  }

  private void delete() throws IOException {
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(
              Path folder, @org.jspecify.annotations.Nullable IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            Files.deleteIfExists(folder);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
