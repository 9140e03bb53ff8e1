package coral.discovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
final class ControlSocketTest {
  @TempDir Path directory;

  @Test
  void aLineIsAnsweredAlsoAfterOneThatFailed() throws Exception {
    try (ControlSocket socket =
        ControlSocket.open(
            directory,
            command -> {
              if (command.equals("fail")) {
                throw new IllegalStateException("a defect");
              }
              return "you said " + command + "\n";
            })) {
      assertEquals("you said keys\n", ControlSocket.ask(directory, "keys"));
      assertEquals("", ControlSocket.ask(directory, "fail"));
      assertEquals("you said x\n", ControlSocket.ask(directory, "x"));
    }
  }

  @Test
  void whatADeadDiscoveryLeftIsReplacedAndNothingIsLeftAtTheEnd() throws Exception {
    Path file = directory.resolve("control.sock");
    Files.createFile(file);
    ControlSocket socket = ControlSocket.open(directory, command -> "yes");
    assertEquals("yes\n", ControlSocket.ask(directory, "keys"));
    socket.close();
    assertFalse(Files.exists(file));
    IOException none = assertThrows(IOException.class, () -> ControlSocket.ask(directory, "keys"));
    assertTrue(String.valueOf(none.getMessage()).contains(file.toString()), none.toString());
  }

  @Test
  void aPathTooLongForASocketIsSaidSo() throws Exception {
    Path deep = Files.createDirectories(directory.resolve("d".repeat(120)));
    IOException refused =
        assertThrows(IOException.class, () -> ControlSocket.open(deep, command -> ""));
    assertTrue(String.valueOf(refused.getMessage()).contains(deep.toString()), refused.toString());
  }
}
