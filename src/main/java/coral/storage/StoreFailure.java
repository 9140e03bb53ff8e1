package coral.storage;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What DuckDB's errors mean, in words that name the file and say what to do. */
final class StoreFailure {
  /** DuckDB gives no SQLState: its messages are all there is. */
  private static final Pattern LOCK_HOLDER = Pattern.compile("\\(PID (\\d+)\\)");

  private StoreFailure() {}

  /** Finds what can be known before DuckDB is asked, and said more clearly. */
  static void checkPath(Path path) throws StoreException {
    Path directory = path.getParent();
    if (directory == null || !Files.isDirectory(directory)) {
      throw new StoreException(
          "the database %s cannot be opened: the directory %s does not exist"
              .formatted(path, directory));
    }
    if (Files.isDirectory(path)) {
      throw new StoreException(
          "the database %s cannot be opened: it is a directory".formatted(path));
    }
    Path written = Files.exists(path) ? path : directory;
    if (!Files.isWritable(written)) {
      throw new StoreException(
          "the database %s cannot be opened: %s cannot be written (no permission, or a read-only file system)"
              .formatted(path, written));
    }
  }

  static StoreException describe(Path path, SQLException e) {
    String message = String.valueOf(e.getMessage());
    String lower = message.toLowerCase(Locale.ROOT);
    return new StoreException("the database " + path + " " + reason(message, lower), e);
  }

  private static String reason(String message, String lower) {
    if (lower.contains("could not set lock")) {
      Matcher holder = LOCK_HOLDER.matcher(message);
      return "is locked by "
          + (holder.find() ? "process " + holder.group(1) : "another process")
          + ": stop that one first";
    }
    if (lower.contains("not a valid duckdb database file")) {
      return "is not a DuckDB file: move it away to start afresh, or restore a backup";
    }
    if (lower.contains("corrupt") || lower.contains("checksum")) {
      return "is corrupt: restore it, with its .wal file, from a backup ("
          + firstLine(message)
          + ")";
    }
    if (lower.contains("no space left")) {
      return "cannot be written: the disk is full";
    }
    if (lower.contains("read-only file system")) {
      return "cannot be written: its file system is read-only";
    }
    if (lower.contains("permission denied")) {
      return "cannot be opened: no permission";
    }
    return "failed: " + firstLine(message);
  }

  /** Whether every connection must be closed before the file can be used again. */
  static boolean isInvalidated(SQLException e) {
    String message = String.valueOf(e.getMessage());
    return message.contains("FATAL") || message.contains("database has been invalidated");
  }

  private static String firstLine(String message) {
    int end = message.indexOf('\n');
    return end < 0 ? message : message.substring(0, end);
  }
}
