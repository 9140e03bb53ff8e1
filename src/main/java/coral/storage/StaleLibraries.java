package coral.storage;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The driver unpacks its native library of 70 MB into the temporary directory, and a process that
 * is killed leaves it there. Deletes those that were there before this process started and that no
 * process has mapped.
 */
final class StaleLibraries {
  private StaleLibraries() {}

  /** Never fails: what cannot be looked at or deleted is left. */
  static void delete() {
    delete(
        Path.of(System.getProperty("java.io.tmpdir")),
        Path.of("/proc"),
        ManagementFactory.getRuntimeMXBean().getStartTime());
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
        try (Stream<String> lines = Files.lines(id.resolve("maps"))) {
          lines
              .filter(line -> line.contains("libduckdb_java"))
              .forEach(line -> mapped.add(line.substring(line.indexOf('/'))));
        } catch (IOException | java.io.UncheckedIOException e) {
          if (Files.exists(id)) {
            throw new IOException("process " + id.getFileName() + " cannot be looked into", e);
          }
        }
      }
    }
    return mapped;
  }
}
