package coral.storage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The driver unpacks its native library of 70 MB into the temporary directory and deletes it when
 * the process exits, but not when it is killed or halts. So a process deletes its own as soon as it
 * has mapped it, which needs the file no more; and, should one have been killed in between, those
 * of long before this process started. Who has mapped one of these does not need it either.
 */
final class StaleLibraries {
  /** Longer than anybody takes from unpacking a library to mapping it. */
  private static final Duration UNMAPPED = Duration.ofMinutes(10);

  private StaleLibraries() {}

  /** Never fails: what cannot be looked at or deleted is left. */
  static void delete() {
    delete(
        Path.of(System.getProperty("java.io.tmpdir")),
        ManagementFactory.getRuntimeMXBean().getStartTime());
  }

  /** This process's own, once it is loaded. Never fails either. */
  static void deleteOwn() {
    deleteOwn(Path.of(System.getProperty("java.io.tmpdir")), Path.of("/proc/self/maps"));
  }

  static void deleteOwn(Path directory, Path maps) {
    try {
      Path temporary = directory.toRealPath();
      for (String library : libraries(maps)) {
        Path path = Path.of(library);
        if (temporary.equals(path.getParent())) {
          Files.deleteIfExists(path);
        }
      }
    } catch (IOException | RuntimeException e) {
      return; // not Linux, or not allowed: it is deleted at the exit
    }
  }

  static void delete(Path directory, long startedMillis) {
    try (DirectoryStream<Path> libraries =
        Files.newDirectoryStream(directory, "libduckdb_java*.so")) {
      for (Path library : libraries) {
        if (Files.getLastModifiedTime(library).toMillis() < startedMillis - UNMAPPED.toMillis()) {
          Files.deleteIfExists(library);
        }
      }
    } catch (IOException | RuntimeException e) {
      return; // somebody else's
    }
  }

  /** The paths of the driver's libraries in a process's maps, see proc_pid_maps(5). */
  private static Set<String> libraries(Path maps) throws IOException {
    try (Stream<String> lines = Files.lines(maps)) {
      return lines
          .filter(line -> line.contains("/libduckdb_java"))
          .map(line -> line.substring(line.indexOf('/')))
          .collect(Collectors.toSet());
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }
}
