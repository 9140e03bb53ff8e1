package coral.files;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** RFD 020: keys and certificates are stored with mode 0600. */
class SecureFilesTest {
  @TempDir Path directory;

  @Test
  void aFileIsReadableByItsOwnerAlone() throws IOException {
    Path file = directory.resolve("key.pem");
    SecureFiles.write(file, bytes("key"));
    assertEquals("rw-------", mode(file));
    assertArrayEquals(bytes("key"), SecureFiles.readPrivate(file));
  }

  @Test
  void aFileThatWasOpenToOthersIsClosedByTheNextWrite() throws IOException {
    Path file = Files.writeString(directory.resolve("key.pem"), "old");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
    SecureFiles.write(file, bytes("new"));
    assertEquals("rw-------", mode(file));
  }

  /** Another user could have written into it whatever the mode is now. */
  @Test
  void whatBelongsToAnotherUserIsRefused() throws IOException {
    assumeTrue(
        Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0),
        "only root can give files away");
    Path file = directory.resolve("key.pem");
    SecureFiles.write(file, bytes("key"));
    Files.setAttribute(file, "unix:uid", 65534);
    IOException refused = assertThrows(IOException.class, () -> SecureFiles.readPrivate(file));
    String message = String.valueOf(refused.getMessage());
    assertTrue(message.contains("chown 0 " + file), message);
    Path folder = directory.resolve("folder");
    SecureFiles.createDirectory(folder);
    Files.setAttribute(folder, "unix:uid", 65534);
    assertThrows(IOException.class, () -> SecureFiles.createDirectory(folder));
  }

  @Test
  void directoriesAreMadeForTheirOwnerAlone() throws IOException {
    Path deep = directory.resolve("a/b/c");
    SecureFiles.createDirectory(deep);
    assertEquals("rwx------", mode(deep));
    assertEquals("rwx------", mode(directory.resolve("a")));
    SecureFiles.createDirectory(deep);
  }

  @Test
  void aDirectoryThatIsOpenToOthersIsRefusedWithTheCommandThatClosesIt() throws IOException {
    Path open = Files.createDirectory(directory.resolve("open"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxr-xr-x"));
    IOException refused = assertThrows(IOException.class, () -> SecureFiles.createDirectory(open));
    assertTrue(refused.toString().contains("chmod 700 " + open), refused.toString());
  }

  @Test
  void aFileInThePlaceOfADirectoryIsRefused() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "");
    assertThrows(IOException.class, () -> SecureFiles.createDirectory(file));
  }

  @Test
  void aNewFileNeverReplacesAnother() throws IOException {
    Path file = directory.resolve("secret");
    SecureFiles.createNew(file, bytes("first"));
    assertEquals("rw-------", mode(file));
    FileAlreadyExistsException refused =
        assertThrows(
            FileAlreadyExistsException.class, () -> SecureFiles.createNew(file, bytes("second")));
    assertTrue(refused.toString().contains(file.toString()), refused.toString());
    assertEquals("first", Files.readString(file));
    assertEquals(List.of(file), files());
  }

  @Test
  void ofManyWhoCreateTheSameFileOneWins() throws Exception {
    Path file = directory.resolve("secret");
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try {
      List<Callable<Boolean>> writers = new ArrayList<>();
      for (int i = 0; i < 32; i++) {
        byte[] content = bytes("writer " + i);
        writers.add(
            () -> {
              try {
                SecureFiles.createNew(file, content);
                return true;
              } catch (FileAlreadyExistsException e) {
                return false;
              }
            });
      }
      int winners = 0;
      for (Future<Boolean> result : threads.invokeAll(writers)) {
        winners += result.get() ? 1 : 0;
      }
      assertEquals(1, winners);
      assertEquals(List.of(file), files());
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void aReaderSeesTheOldContentOrTheNewOneAndNeverAPart() throws Exception {
    Path file = directory.resolve("key.pem");
    byte[] zeros = new byte[100_000];
    byte[] ones = new byte[100_000];
    Arrays.fill(ones, (byte) 1);
    SecureFiles.write(file, zeros);
    AtomicBoolean done = new AtomicBoolean();
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try {
      Future<Integer> reader =
          thread.submit(
              () -> {
                int reads = 0;
                while (!done.get() || reads == 0) {
                  byte[] seen = SecureFiles.readPrivate(file);
                  assertTrue(Arrays.equals(seen, zeros) || Arrays.equals(seen, ones));
                  reads++;
                }
                return reads;
              });
      for (int i = 0; i < 50; i++) {
        SecureFiles.write(file, i % 2 == 0 ? ones : zeros);
      }
      done.set(true);
      assertTrue(reader.get() > 0);
    } finally {
      thread.shutdownNow();
    }
  }

  @Test
  void whatCannotBeWrittenLeavesTheOldFileAndNoTemporaryOne() throws IOException {
    Path taken = Files.createDirectory(directory.resolve("taken"));
    Files.writeString(taken.resolve("inside"), "x");
    assertThrows(IOException.class, () -> SecureFiles.write(taken, bytes("new")));
    assertEquals(List.of(taken), files());
    assertThrows(
        NoSuchFileException.class,
        () -> SecureFiles.write(directory.resolve("missing/key.pem"), bytes("new")));
  }

  @Test
  void aWriteReplacesASymbolicLinkAndLeavesItsTarget() throws IOException {
    Path target = Files.writeString(directory.resolve("target"), "target");
    Path link = Files.createSymbolicLink(directory.resolve("link"), target);
    SecureFiles.write(link, bytes("new"));
    assertTrue(Files.isRegularFile(link, LinkOption.NOFOLLOW_LINKS));
    assertEquals("target", Files.readString(target));
  }

  @Test
  void aNewFileIsNotWrittenThroughADanglingLink() throws IOException {
    Path target = directory.resolve("target");
    Path link = Files.createSymbolicLink(directory.resolve("link"), target);
    assertThrows(FileAlreadyExistsException.class, () -> SecureFiles.createNew(link, bytes("new")));
    assertFalse(Files.exists(target));
  }

  @Test
  void aPrivateFileThatOthersCanReadIsRefusedWithTheCommandThatClosesIt() throws IOException {
    for (String mode : List.of("rw-r-----", "rw----r--", "rw--w----", "rwx-----x")) {
      Path file = directory.resolve("key.pem");
      SecureFiles.write(file, bytes("key"));
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
      IOException refused =
          assertThrows(IOException.class, () -> SecureFiles.readPrivate(file), mode);
      assertTrue(refused.toString().contains("chmod 600 " + file), refused.toString());
    }
  }

  @Test
  void aSymbolicLinkIsNotAPrivateFile() throws IOException {
    Path file = directory.resolve("key.pem");
    SecureFiles.write(file, bytes("key"));
    Path link = Files.createSymbolicLink(directory.resolve("link"), file);
    assertThrows(IOException.class, () -> SecureFiles.readPrivate(link));
    assertThrows(IOException.class, () -> SecureFiles.read(link, 100));
  }

  @Test
  void aFileThatIsTooLongOrNoFileIsRefused() throws IOException {
    Path file = directory.resolve("key.pem");
    SecureFiles.write(file, new byte[101]);
    assertThrows(IOException.class, () -> SecureFiles.readPrivate(file, 100));
    assertEquals(101, SecureFiles.readPrivate(file, 101).length);
    assertThrows(
        NoSuchFileException.class, () -> SecureFiles.readPrivate(directory.resolve("none")));
    assertThrows(IOException.class, () -> SecureFiles.read(directory, 100));
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> list = Files.list(directory)) {
      return list.toList();
    }
  }

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }
}
