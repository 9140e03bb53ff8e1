package coral.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Set;

/**
 * Files of one owner, for keys and certificates (RFD 020: files 0600 in folders 0700).
 *
 * <p>A write goes to a temporary file beside its target, made with mode 0600 and {@code O_EXCL},
 * reaches the disk, and only then takes the target's name. A reader, or a machine that lost its
 * power, sees the old content or the new one, never a part of it. Needs a file system with POSIX
 * permissions.
 */
public final class SecureFiles {
  /** More than any key or certificate chain of Coral needs. */
  public static final int MAX_BYTES = 1 << 20;

  private static final Set<PosixFilePermission> OWNER_FILE =
      PosixFilePermissions.fromString("rw-------");
  private static final Set<PosixFilePermission> OWNER_DIRECTORY =
      PosixFilePermissions.fromString("rwx------");
  private static final Set<PosixFilePermission> OF_OTHERS =
      EnumSet.of(
          PosixFilePermission.GROUP_READ,
          PosixFilePermission.GROUP_WRITE,
          PosixFilePermission.GROUP_EXECUTE,
          PosixFilePermission.OTHERS_READ,
          PosixFilePermission.OTHERS_WRITE,
          PosixFilePermission.OTHERS_EXECUTE);

  /** A write takes longer than a read: few meet two of them. */
  private static final int READ_ATTEMPTS = 50;

  private static final SecureRandom RANDOM = new SecureRandom();

  private SecureFiles() {}

  /**
   * Makes a directory of mode 0700, and its missing parents likewise. One that exists is accepted
   * if it is a directory that only its owner, this process's user or root, can enter; the parents
   * that exist are left as they are.
   *
   * @throws IOException naming the path and, where a mode is the reason, the chmod that mends it
   */
  public static void createDirectory(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      if (Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
        throw new IOException(directory + " exists and is not a directory");
      }
      createMissing(directory.toAbsolutePath());
    }
    EffectiveUser.requireOwnership(directory);
    Set<PosixFilePermission> mode = Files.getPosixFilePermissions(directory);
    if (mode.stream().anyMatch(OF_OTHERS::contains)) {
      throw new IOException(
          directory + " is open to other users; close it with: chmod 700 " + directory);
    }
  }

  private static void createMissing(Path directory) throws IOException {
    Path parent = directory.getParent();
    if (parent != null && !Files.isDirectory(parent)) {
      createMissing(parent);
    }
    try {
      Files.createDirectory(directory, asAttribute(OWNER_DIRECTORY));
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(directory)) { // somebody else may have made it meanwhile
        throw e;
      }
    }
    if (parent != null) {
      synchronizeDirectory(parent);
    }
  }

  /**
   * Writes a file of mode 0600, replacing the one that has its name (a symbolic link is replaced,
   * not followed). On return the content is on the disk.
   *
   * @throws IOException if the file could not be written; then the old one is unchanged
   */
  public static void write(Path file, byte[] content) throws IOException {
    Path temporary = writeTemporary(file, content);
    try {
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      Files.deleteIfExists(temporary);
      throw e;
    }
    synchronizeDirectory(parentOf(file));
  }

  /**
   * Writes a file of mode 0600 that must not exist yet. Of several writers at once, one wins.
   *
   * @throws FileAlreadyExistsException if the name is taken; what has it is unchanged
   * @throws IOException if the file could not be written; then there is none
   */
  public static void createNew(Path file, byte[] content) throws IOException {
    Path temporary = writeTemporary(file, content);
    try {
      // A rename would replace; a link fails if the name is taken.
      Files.createLink(file, temporary);
    } catch (FileAlreadyExistsException e) {
      FileAlreadyExistsException refused =
          new FileAlreadyExistsException(file.toString(), null, "exists and is never overwritten");
      refused.initCause(e);
      throw refused;
    } finally {
      Files.deleteIfExists(temporary);
    }
    synchronizeDirectory(parentOf(file));
  }

  /** {@link #readPrivate(Path, int)} with the bound {@link #MAX_BYTES}. */
  public static byte[] readPrivate(Path file) throws IOException {
    return readPrivate(file, MAX_BYTES);
  }

  /**
   * Reads a file that must be a regular one, not a symbolic link, and closed to everybody but its
   * owner, who must be this process's user or root.
   *
   * @param maxBytes a longer file is refused without being read
   * @throws NoSuchFileException if there is none
   * @throws IOException naming the path and, where its mode or owner is the reason, the command
   *     that mends it
   */
  public static byte[] readPrivate(Path file, int maxBytes) throws IOException {
    PosixFileAttributes attributes = attributes(file);
    if (attributes.isSymbolicLink()) {
      throw new IOException(file + " is a symbolic link; a private file is a file itself");
    }
    return read(file, maxBytes, SecureFiles::requirePrivate);
  }

  private static void requirePrivate(Path file, PosixFileAttributes attributes) throws IOException {
    EffectiveUser.requireOwnership(file, LinkOption.NOFOLLOW_LINKS);
    if (attributes.permissions().stream().anyMatch(OF_OTHERS::contains)) {
      throw new IOException(file + " is open to other users; close it with: chmod 600 " + file);
    }
  }

  private static PosixFileAttributes attributes(Path file) throws IOException {
    return Files.readAttributes(file, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
  }

  /** What a file must be beyond a regular one. */
  private interface Rule {
    void check(Path file, PosixFileAttributes attributes) throws IOException;
  }

  /**
   * Reads a regular file, whoever else may read it: certificates are public. A symbolic link is
   * refused.
   *
   * @param maxBytes a longer file is refused
   * @throws NoSuchFileException if there is none
   */
  public static byte[] read(Path file, int maxBytes) throws IOException {
    return read(file, maxBytes, (unused, attributes) -> {});
  }

  /**
   * The rule is put to the name while the file is open, and the name must lead to the same file
   * before and after it was opened: what is read is what was checked. (Java cannot ask an open file
   * for its mode. To exchange it twice, somebody must be able to write the folder, hence be the
   * owner of what is in it.)
   */
  private static byte[] read(Path file, int maxBytes, Rule rule) throws IOException {
    for (int attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
      PosixFileAttributes before = attributes(file);
      if (!before.isRegularFile()) { // to open a pipe would block
        throw new IOException(file + " is not a regular file");
      }
      try (SeekableByteChannel channel =
              Files.newByteChannel(
                  file, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS));
          InputStream in = Channels.newInputStream(channel)) {
        PosixFileAttributes opened = attributes(file);
        if (!Objects.equals(before.fileKey(), opened.fileKey())) {
          continue; // a writer has replaced it meanwhile, as write does
        }
        rule.check(file, opened);
        byte[] content = in.readNBytes(maxBytes + 1);
        if (content.length > maxBytes) {
          throw new IOException(file + " is longer than " + maxBytes + " bytes");
        }
        return content;
      }
    }
    throw new IOException(file + " is replaced again and again");
  }

  private static Path writeTemporary(Path file, byte[] content) throws IOException {
    byte[] suffix = new byte[8];
    RANDOM.nextBytes(suffix);
    Path temporary =
        file.resolveSibling(
            "." + file.getFileName() + "." + HexFormat.of().formatHex(suffix) + ".tmp");
    try (FileChannel channel =
        FileChannel.open(
            temporary,
            Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW),
            asAttribute(OWNER_FILE))) {
      ByteBuffer remaining = ByteBuffer.wrap(content);
      while (remaining.hasRemaining()) {
        channel.write(remaining);
      }
      channel.force(true);
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (IOException e) {
      Files.deleteIfExists(temporary);
      throw e;
    }
    return temporary;
  }

  /** A new name survives a power failure only once its directory has reached the disk. */
  private static void synchronizeDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static Path parentOf(Path file) {
    Path parent = file.toAbsolutePath().getParent();
    if (parent == null) {
      throw new IllegalArgumentException(file + " is no file's path");
    }
    return parent;
  }

  private static FileAttribute<Set<PosixFilePermission>> asAttribute(
      Set<PosixFilePermission> mode) {
    return PosixFilePermissions.asFileAttribute(mode);
  }
}
