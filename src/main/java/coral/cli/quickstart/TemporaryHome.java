package coral.cli.quickstart;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@code CORAL_HOME} for one quickstart, closed to other users, and gone with it. One that was
 * killed cannot delete it, so it leaves a sign of its end: the lock of a file in it, which the
 * kernel lets go. The next quickstart of the same user deletes the folder then. (A process id alone
 * is no such sign: it is used again, and means nothing in another container with the same /tmp.)
 */
final class TemporaryHome implements Cleanup.Resource {
  private static final Logger LOG = LoggerFactory.getLogger(TemporaryHome.class);

  private static final String PREFIX = "coral-quickstart-";
  private static final String LOCK = "lock";
  private static final Set<PosixFilePermission> MODE = PosixFilePermissions.fromString("rwx------");
  private static final int DELETE_ATTEMPTS = 3;

  private final Path directory;
  private final FileChannel lock;

  private TemporaryHome(Path directory, FileChannel lock) {
    this.directory = directory;
    this.lock = lock;
  }

  static TemporaryHome create() throws IOException {
    return create(temporaryDirectory());
  }

  static TemporaryHome create(Path parent) throws IOException {
    Path directory =
        Files.createTempDirectory(parent, PREFIX, PosixFilePermissions.asFileAttribute(MODE));
    TemporaryHome home = new TemporaryHome(directory, lock(directory));
    Files.createDirectory(home.temporaryFiles());
    return home;
  }

  /** The lock is held before the file has its name, so nobody finds it and not the lock. */
  private static FileChannel lock(Path directory) throws IOException {
    Path unnamed = directory.resolve(LOCK + ".new");
    FileChannel channel =
        FileChannel.open(unnamed, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    try {
      String holder = ProcessHandle.current().pid() + "\n"; // for people who look
      channel.write(ByteBuffer.wrap(holder.getBytes(StandardCharsets.US_ASCII)));
      channel.lock();
      Files.move(unnamed, directory.resolve(LOCK), StandardCopyOption.ATOMIC_MOVE);
      return channel;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static Path temporaryDirectory() {
    return Path.of(System.getProperty("java.io.tmpdir", "/tmp"));
  }

  /** Deletes what this user's killed quickstarts have left; what cannot be deleted stays. */
  static void deleteStale() {
    deleteStale(temporaryDirectory());
  }

  static void deleteStale(Path parent) {
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(parent, PREFIX + "*")) {
      for (Path folder : folders) {
        try {
          if (isOurs(folder)) {
            deleteIfAbandoned(folder);
          }
        } catch (IOException | RuntimeException e) {
          // Such as: its processes are about to end. There will be a next time.
          LOG.info("{} of a killed quickstart is left for now: {}", folder, e.toString());
        }
      }
    } catch (IOException e) {
      LOG.info("{} cannot be searched for what killed quickstarts left: {}", parent, e.toString());
    }
  }

  /** Only this user can have put anything into such a folder. */
  private static boolean isOurs(Path folder) throws IOException {
    PosixFileAttributes attributes =
        Files.readAttributes(folder, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    return attributes.isDirectory()
        && attributes.permissions().equals(MODE)
        && attributes.owner().equals(thisUser());
  }

  /** This process's own folder in /proc belongs to the user whose rights it has. */
  private static UserPrincipal thisUser() throws IOException {
    return Files.getOwner(Path.of("/proc/self"));
  }

  private static void deleteIfAbandoned(Path folder) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            folder.resolve(LOCK), StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
      FileLock lock = channel.tryLock();
      if (lock != null) {
        delete(folder);
      }
    } catch (NoSuchFileException e) {
      // it is being made or deleted just now
    } catch (OverlappingFileLockException e) {
      // it is of this very process
    }
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
    try (lock) {
      deleteRepeatedly();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + directory, e);
    }
  }

  private void deleteRepeatedly() throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        delete(directory);
        return;
      } catch (NoSuchFileException e) {
        return;
      } catch (IOException e) {
        // A process that just ended may have written once more while the folder was listed.
        if (attempt == DELETE_ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  /** The lock goes last: a folder without it would be nobody's to delete. */
  private static void delete(Path directory) throws IOException {
    Path lock = directory.resolve(LOCK);
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            if (!file.equals(lock)) {
              Files.deleteIfExists(file);
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(
              Path folder, @org.jspecify.annotations.Nullable IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            if (folder.equals(directory)) {
              Files.deleteIfExists(lock);
            }
            Files.deleteIfExists(folder);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
