package coral.cli.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemporaryHomeTest {
  @TempDir Path parent;

  private Path abandoned(String name, String mode) throws IOException {
    Path folder = Files.createDirectory(parent.resolve(name));
    Files.createDirectories(folder.resolve("colonies/quickstart"));
    Files.writeString(folder.resolve("colonies/quickstart/secret"), "secret");
    Files.writeString(folder.resolve("lock"), "1\n");
    return Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString(mode));
  }

  @Test
  void theFolderOfAProcessThatIsGoneIsDeletedWithAllInIt() throws IOException {
    Path folder = abandoned("coral-quickstart-1", "rwx------");
    TemporaryHome.deleteStale(parent);
    assertFalse(Files.exists(folder));
  }

  @Test
  void theFolderOfALivingProcessStays() throws IOException {
    try (TemporaryHome home = TemporaryHome.create(parent)) {
      TemporaryHome.deleteStale(parent);
      assertTrue(Files.isDirectory(home.temporaryFiles()));
      assertEquals(
          ProcessHandle.current().pid() + "\n", Files.readString(home.directory().resolve("lock")));
    }
    TemporaryHome.deleteStale(parent);
    try (var left = Files.list(parent)) {
      assertEquals(0, left.count());
    }
  }

  @Test
  void whatOthersCouldHaveMadeOrIsJustBeingMadeStays() throws IOException {
    Path open = abandoned("coral-quickstart-open", "rwxr-x---");
    Path named = abandoned("coral-other", "rwx------");
    Path link =
        Files.createSymbolicLink(parent.resolve("coral-quickstart-link"), named.getFileName());
    Path foreign = abandoned("coral-quickstart-foreign", "rwx------");
    boolean root = Files.getOwner(Path.of("/proc/self")).getName().equals("root");
    if (root) {
      Files.setAttribute(foreign, "unix:uid", 65534);
    } else {
      Files.delete(foreign.resolve("lock"));
    }
    Path unlocked = abandoned("coral-quickstart-new", "rwx------");
    Files.delete(unlocked.resolve("lock"));
    TemporaryHome.deleteStale(parent);
    for (Path folder : new Path[] {open, named, link, foreign, unlocked}) {
      assertTrue(Files.exists(folder.resolve("colonies/quickstart/secret")), folder.toString());
    }
  }
}
