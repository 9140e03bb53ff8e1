package coral.storage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The driver unpacks its native library of 70 MB into the temporary directory and deletes it when
 * the process exits, but not when it is killed or halts. So a process deletes its own as soon as it
 * has mapped it, which needs the file no more; and, should one have been killed in between, those
 * that were there before this process started and that no process has mapped.
 */
final class StaleLibraries {
  /** strerror(ESRCH), as the runtime gives it whatever the language. */
  private static final String NO_SUCH_PROCESS = "No such process";

  private StaleLibraries() {}

  /** Never fails: what cannot be looked at or deleted is left. */
  static void delete() {
    delete(
        Path.of(System.getProperty("java.io.tmpdir")),
        Path.of("/proc"),
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

  static void delete(Path directory, Path processes, long startedMillis) {
    if (!Files.isDirectory(processes)) {
      return;
    }
    try (DirectoryStream<Path> libraries =
        Files.newDirectoryStream(directory, "libduckdb_java*.so")) {
      Set<String> inUse = null;
      for (Path library : libraries) {
        // A younger one may be of a process that has unpacked it and not mapped it yet.
        if (Files.getLastModifiedTime(library).toMillis() < startedMillis - 60_000) {
          inUse = inUse == null ? mapped(processes) : inUse;
          if (!inUse.contains(library.toRealPath().toString())) {
            Files.deleteIfExists(library);
          }
        }
      }
    } catch (IOException | RuntimeException e) {
      return;
    }
  }

  /**
   * @throws IOException if a process that lives cannot be looked into: it may have any file mapped
   */
  private static Set<String> mapped(Path processes) throws IOException {
    Set<String> mapped = new HashSet<>();
    try (DirectoryStream<Path> ids = Files.newDirectoryStream(processes, "[0-9]*")) {
      for (Path id : ids) {
        mapped.addAll(librariesOf(id));
      }
    }
    return mapped;
  }

  /** A process that is ending has no maps any more (ESRCH) before it has no entry. */
  private static Set<String> librariesOf(Path process) throws IOException {
    try {
      return libraries(process.resolve("maps"));
    } catch (IOException e) {
      if (!Files.exists(process) || String.valueOf(e.getMessage()).contains(NO_SUCH_PROCESS)) {
        return Set.of();
      }
      throw new IOException("process " + process.getFileName() + " cannot be looked into", e);
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
