package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.InvitationText;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConnectCommandTest {
  @TempDir Path home;

  @Test
  void aLineIsReadAndNotMore() throws Exception {
    ByteArrayInputStream in = in("coral-invite:abc\nnext");
    assertEquals("coral-invite:abc", ConnectCommand.firstLine(in));
    assertEquals("next", new String(in.readAllBytes(), StandardCharsets.UTF_8));
    assertEquals("coral-invite:abc", ConnectCommand.firstLine(in("coral-invite:abc")));
  }

  @Test
  void anInputThatIsNoInvitationIsRefused() {
    assertThrows(CommandFailedException.class, () -> ConnectCommand.firstLine(in("")));
    assertThrows(CommandFailedException.class, () -> ConnectCommand.firstLine(in("\nabc")));
    String endless = "x".repeat(InvitationText.MAX_LENGTH + 10);
    assertThrows(CommandFailedException.class, () -> ConnectCommand.firstLine(in(endless)));
  }

  @Test
  void anInvitationThatWasCutIsNotShown() {
    Cli result =
        Cli.run(Map.of("CORAL_HOME", home.toString()), "connect", "coral-invite:c2VjcmV0IHRleHQ");
    assertEquals(1, result.exitCode());
    assertTrue(result.err().contains("copy the whole line"), result.err());
    assertFalse(result.err().contains("c2VjcmV0"), result.err());
  }

  private static ByteArrayInputStream in(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }
}
