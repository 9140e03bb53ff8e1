package coral.agent;

import coral.files.SecureFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The steps in which an agent's files change. Each happens whole or not at all, whenever the
 * process or the machine stops; between two of them it may stop, too.
 */
interface FileChanges {
  /** {@link SecureFiles}. */
  FileChanges ON_DISK =
      new FileChanges() {
        @Override
        public void createDirectory(Path directory) throws IOException {
          SecureFiles.createDirectory(directory);
        }

        @Override
        public void write(Path file, byte[] content) throws IOException {
          SecureFiles.write(file, content);
        }

        @Override
        public void delete(Path file) throws IOException {
          Files.deleteIfExists(file);
        }
      };

  /** Makes a directory of mode 0700 with its parents, unless there is one. */
  void createDirectory(Path directory) throws IOException;

  /** Writes a file of mode 0600, replacing the one that has its name. */
  void write(Path file, byte[] content) throws IOException;

  /**
   * Deletes a file, if it is there. After a power failure it may be back: what is deleted must be
   * something that does no harm.
   */
  void delete(Path file) throws IOException;
}
