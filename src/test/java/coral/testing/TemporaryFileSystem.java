package coral.testing;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * A small file system in memory, to be filled up or made read-only. Skips the test without root.
 */
public final class TemporaryFileSystem implements AutoCloseable {
  private final Path path;

  private TemporaryFileSystem(Path path) {
    this.path = path;
  }

  /**
   * Mounts it in a new directory.
   *
   * @param size such as {@code 16m}
   */
  public static TemporaryFileSystem mount(Path parent, String size)
      throws IOException, InterruptedException {
    Path path = Files.createDirectory(parent.resolve("disk"));
    Requirements.MOUNT.check(
        run("mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", path.toString()) == 0,
        "this test mounts a file system, which needs root");
    return new TemporaryFileSystem(path);
  }

  public Path path() {
    return path;
  }

  /** Leaves no free block. */
  public void fill() throws IOException {
    byte[] block = new byte[4096];
    try (OutputStream out = Files.newOutputStream(path.resolve("filler"))) {
      while (true) {
        out.write(block);
      }
    } catch (IOException e) {
      if (!String.valueOf(e.getMessage()).contains("No space left")) {
        throw e;
      }
    }
  }

  /** Gives back what {@link #fill} took. */
  public void empty() throws IOException {
    Files.delete(path.resolve("filler"));
  }

  /** Makes room on a disk that is full of what belongs there. */
  public void grow(String size) throws IOException, InterruptedException {
    if (run("mount", "-o", "remount,size=" + size, path.toString()) != 0) {
      throw new IOException("cannot grow " + path);
    }
  }

  public void remountReadOnly() throws IOException, InterruptedException {
    if (run("mount", "-o", "remount,ro", path.toString()) != 0) {
      throw new IOException("cannot remount " + path);
    }
  }

  @Override
  public void close() throws IOException, InterruptedException {
    if (run("umount", path.toString()) != 0) {
      run("umount", "-l", path.toString());
      throw new IOException(path + " is still in use");
    }
  }

  private static int run(String... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    if (!process.waitFor(20, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException("no end of " + String.join(" ", command));
    }
    return process.exitValue();
  }
}
