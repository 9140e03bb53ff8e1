package coral.proxy;

import coral.files.SecureFiles;
import coral.model.ColonyId;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the proxy of one colony keeps under {@code ~/.coral/proxies/<colony-id>/}: its certificate,
 * its log, and, while it runs, how it is. Blocks; thread-safe.
 */
public final class ProxyDirectory {
  private static final String PROXIES = "proxies";

  private final ColonyId colonyId;
  private final Path directory;

  private ProxyDirectory(ColonyId colonyId, Path directory) {
    this.colonyId = colonyId;
    this.directory = directory;
  }

  /**
   * Of one colony; it need not exist.
   *
   * @param home {@code ~/.coral}
   */
  public static ProxyDirectory of(Path home, ColonyId colonyId) {
    return new ProxyDirectory(colonyId, home.resolve(PROXIES).resolve(colonyId.value()));
  }

  /**
   * All that there are, by the names of their colonies.
   *
   * @param home {@code ~/.coral}
   */
  public static List<ProxyDirectory> list(Path home) throws IOException {
    List<ProxyDirectory> found = new ArrayList<>();
    try (Stream<Path> folders = Files.list(home.resolve(PROXIES))) {
      for (Path folder : folders.filter(Files::isDirectory).sorted().toList()) {
        colonyId(folder).ifPresent(id -> found.add(new ProxyDirectory(id, folder)));
      }
    } catch (NoSuchFileException e) {
      return List.of();
    }
    return found;
  }

  private static Optional<ColonyId> colonyId(Path folder) {
    try {
      return Optional.of(new ColonyId(String.valueOf(folder.getFileName())));
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // some other folder
    }
  }

  /** Whose proxy it is. */
  public ColonyId colonyId() {
    return colonyId;
  }

  /** The folder itself. */
  public Path path() {
    return directory;
  }

  /** What a proxy in the background writes. */
  public Path log() {
    return directory.resolve("proxy.log");
  }

  Path stateFile() {
    return directory.resolve("state.json");
  }

  /**
   * What a proxy has written last; empty if none has since the last one ended properly. One that
   * was killed leaves its state: see {@link RunningProcess#isAlive}.
   *
   * @throws IOException naming the file, if it cannot be read or is not such a state: then nobody
   *     knows whether there is a proxy
   */
  public Optional<ProxyState> state() throws IOException {
    byte[] bytes;
    try {
      bytes = SecureFiles.readPrivate(stateFile(), ProxyState.MAX_BYTES);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
    try {
      ProxyState state = ProxyState.parse(bytes);
      if (!state.colonyId().equals(colonyId)) {
        throw new IOException("it is that of colony " + state.colonyId());
      }
      return Optional.of(state);
    } catch (IOException e) {
      throw new IOException(
          stateFile()
              + " cannot be understood: "
              + e.getMessage()
              + "; if no proxy of "
              + colonyId
              + " runs, remove it",
          e);
    }
  }

  /** {@link #state} of a proxy that runs. */
  public Optional<ProxyState> running() throws IOException {
    return state().filter(state -> state.process().isAlive());
  }

  /** Replaces the state in one step. */
  public void write(ProxyState state) throws IOException {
    SecureFiles.write(stateFile(), state.toBytes());
  }

  /** Removes the state: of a proxy that ends, or that was killed. */
  public void clear() throws IOException {
    Files.deleteIfExists(stateFile());
  }

  /**
   * Makes this process the colony's only proxy of this user, until the lock is closed or the
   * process ends, however it does.
   *
   * @return empty if another process is it
   */
  public Optional<Lock> lock() throws IOException {
    SecureFiles.createDirectory(directory);
    FileChannel channel =
        FileChannel.open(
            directory.resolve("lock"),
            Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    @Nullable FileLock lock = null;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      lock = null; // another proxy in this process
    } finally {
      if (lock == null) {
        channel.close();
      }
    }
    return Optional.ofNullable(lock).map(held -> new Lock(channel));
  }

  /** Held by the proxy that runs. */
  public static final class Lock implements AutoCloseable {
    private final FileChannel channel;

    private Lock(FileChannel channel) {
      this.channel = channel;
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
