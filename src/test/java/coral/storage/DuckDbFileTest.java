package coral.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.testing.TemporaryFileSystem;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class DuckDbFileTest {
  @TempDir Path directory;

  @Test
  void itsFilesAreForTheirOwnerAlone() throws Exception {
    Path path = directory.resolve("colony.duckdb");
    try (DuckDbFile file = DuckDbFile.open(path)) {
      file.isWritable();
      for (Path each : List.of(path, directory.resolve("colony.duckdb.wal"))) {
        assertEquals(
            "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(each)));
      }
    }
  }

  @Test
  void aNewFileIsWritableAndOpensAgain() throws Exception {
    Path path = directory.resolve("colony.duckdb");
    for (int i = 0; i < 2; i++) {
      try (DuckDbFile file = DuckDbFile.open(path)) {
        assertTrue(file.isWritable());
        assertTrue(file.isWritable());
        assertTrue(file.sizeBytes() > 0);
        assertEquals(path, file.path());
      }
    }
  }

  @Test
  void theMemoryOfTheDatabaseIsBounded() throws Exception {
    try (DuckDbFile file = DuckDbFile.open(directory.resolve("colony.duckdb"));
        Connection connection = file.connect();
        Statement statement = connection.createStatement();
        ResultSet result =
            statement.executeQuery(
                "SELECT current_setting('memory_limit'), current_setting('threads')")) {
      result.next();
      assertEquals("488.2 MiB", result.getString(1));
      assertEquals(2, result.getInt(2));
    }
  }

  @Test
  void aMissingDirectoryIsNamed() {
    assertRefused(directory.resolve("missing/colony.duckdb"), "missing does not exist");
  }

  @Test
  void aDirectoryIsNotADatabase() {
    assertRefused(directory, "it is a directory");
  }

  @Test
  void aFileOfAnotherKindIsNotOverwritten() throws Exception {
    Path path = directory.resolve("notes.txt");
    for (String content : List.of("", "hello", "hello ".repeat(10_000))) {
      Files.writeString(path, content);
      assertRefused(path, "is not a DuckDB file");
      assertEquals(content, Files.readString(path));
    }
  }

  @Test
  void aDamagedFileIsCalledCorrupt() throws Exception {
    Path path = directory.resolve("colony.duckdb");
    DuckDbFile.open(path).close();
    byte[] bytes = Files.readAllBytes(path);
    for (int i = 4096; i < 12_000; i += 7) {
      bytes[i] ^= 0x55;
    }
    Files.write(path, bytes);
    assertRefused(path, "is corrupt");
  }

  @Test
  void aFileThatAnotherProcessHasOpenNamesThatProcess() throws Exception {
    Path path = directory.resolve("colony.duckdb");
    Process other =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-cp",
                System.getProperty("java.class.path"),
                Holder.class.getName(),
                path.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (BufferedReader out =
        new BufferedReader(new InputStreamReader(other.getInputStream(), StandardCharsets.UTF_8))) {
      assertEquals("open", out.readLine());
      assertRefused(path, "is locked by process " + other.pid());
    } finally {
      other.destroyForcibly().waitFor();
    }
    DuckDbFile.open(path).close();
  }

  /** Holds a file open until it is killed. */
  static final class Holder {
    private Holder() {}

    public static void main(String[] arguments) throws IOException {
      DuckDbFile.open(Path.of(arguments[0]));
      System.out.println("open");
      System.in.read();
    }
  }

  @Test
  void aReadOnlyFileSystemIsSaid() throws Exception {
    try (TemporaryFileSystem disk = TemporaryFileSystem.mount(directory, "4m")) {
      Path path = disk.path().resolve("colony.duckdb");
      DuckDbFile.open(path).close();
      disk.remountReadOnly();
      assertRefused(path, "read-only");
      assertRefused(disk.path().resolve("new.duckdb"), "read-only");
    }
  }

  @Test
  void aFullDiskIsSaid() throws Exception {
    try (TemporaryFileSystem disk = TemporaryFileSystem.mount(directory, "1m")) {
      disk.fill();
      assertRefused(disk.path().resolve("colony.duckdb"), "the disk is full");
    }
  }

  @Test
  void aDiskThatFillsUpIsNotWritableAndIsAgainWhenItHasRoom() throws Exception {
    try (TemporaryFileSystem disk = TemporaryFileSystem.mount(directory, "16m");
        DuckDbFile file = DuckDbFile.open(disk.path().resolve("colony.duckdb"))) {
      assertTrue(file.isWritable());
      disk.fill();
      // The log may have some bytes left in its last block.
      int writes = 0;
      while (file.isWritable() && writes < 10_000) {
        writes++;
      }
      assertFalse(file.isWritable());
      disk.empty();
      assertTrue(file.isWritable());
    }
  }

  @Test
  void librariesOfLongAgoAreDeletedAndThoseThatMayNotBeMappedYetAreNot() throws Exception {
    Path old = Files.createFile(directory.resolve("libduckdb_java1.so"));
    Path young = Files.createFile(directory.resolve("libduckdb_java2.so"));
    Path other = Files.createFile(directory.resolve("something.so"));
    for (Path each : List.of(old, other)) {
      Files.setLastModifiedTime(each, FileTime.fromMillis(299_999));
    }
    Files.setLastModifiedTime(young, FileTime.fromMillis(300_000));
    StaleLibraries.delete(directory, 900_000);
    assertFalse(Files.exists(old));
    assertTrue(Files.exists(young));
    assertTrue(Files.exists(other));
  }

  @Test
  void aProcessDeletesItsOwnLibraryOnceItIsMappedAndNoOther() throws Exception {
    Path own = Files.createFile(directory.resolve("libduckdb_java1.so"));
    Path others = Files.createFile(directory.resolve("libduckdb_java2.so"));
    Path elsewhere =
        Files.createFile(
            Files.createDirectory(directory.resolve("lib")).resolve("libduckdb_java.so"));
    String line = "7f00-7f01 r-xp 00000000 08:01 1 ";
    Path maps =
        Files.writeString(
            directory.resolve("maps"),
            line + own.toRealPath() + "\n" + line + elsewhere.toRealPath() + "\n");
    StaleLibraries.deleteOwn(directory, maps);
    assertFalse(Files.exists(own));
    assertTrue(Files.exists(others));
    assertTrue(Files.exists(elsewhere));
    StaleLibraries.deleteOwn(directory, directory.resolve("missing"));
  }

  private static void assertRefused(Path path, String reason) {
    StoreException refused =
        assertThrows(StoreException.class, () -> DuckDbFile.open(path).close());
    String message = String.valueOf(refused.getMessage());
    assertTrue(message.contains(path.toString()) && message.contains(reason), message);
  }
}
