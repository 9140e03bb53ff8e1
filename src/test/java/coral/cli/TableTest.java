package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tables fit the terminal, in a defined order; what is no terminal gets all of them. */
class TableTest {
  private static Table table() {
    return new Table("AGENT", "STATUS", "ADDRESS", "SEEN AGO")
        .states("STATUS")
        .expendable("SEEN AGO", "ADDRESS")
        .row("web-1", "healthy", "10.42.0.2", "12 s")
        .row("database-of-the-shop", "revoked", "10.42.0.3", "");
  }

  @Test
  void allOfItIsShownWhereThereIsNoTerminal() {
    assertEquals(
        """
        AGENT                 STATUS   ADDRESS    SEEN AGO
        web-1                 healthy  10.42.0.2  12 s
        database-of-the-shop  revoked  10.42.0.3  -
        """,
        table().toString());
  }

  @Test
  void columnsAreLeftOutInTheirOrderThenShortened() {
    assertEquals(table().toString(), table().on(Screen.of(50, false)));
    assertEquals(
        """
        AGENT                 STATUS   ADDRESS
        web-1                 healthy  10.42.0.2
        database-of-the-shop  revoked  10.42.0.3
        """,
        table().on(Screen.of(49, false)));
    assertEquals(
        """
        AGENT                 STATUS
        web-1                 healthy
        database-of-the-shop  revoked
        """,
        table().on(Screen.of(30, false)));
    assertEquals(
        """
        AGENT                 STAT…
        web-1                 heal…
        database-of-the-shop  revo…
        """,
        table().on(Screen.of(27, false)));
    assertEquals(
        """
        AGENT              STAT…
        web-1              heal…
        database-of-the-…  revo…
        """,
        table().on(Screen.of(24, false)));
  }

  @ParameterizedTest
  @ValueSource(ints = {20, 25, 30, 40, 45, 50, 80})
  void noLineIsLongerThanTheTerminal(int width) {
    table()
        .on(Screen.of(width, false))
        .lines()
        .forEach(line -> assertTrue(line.length() <= width, line));
  }

  @Test
  void coloursLeaveTheColumnsWhereTheyAre() {
    String colored = table().on(Screen.of(0, true));
    assertTrue(colored.contains("\u001b[32mhealthy\u001b[0m"), colored);
    assertTrue(colored.contains("\u001b[31mrevoked\u001b[0m"), colored);
    assertEquals(table().toString(), colored.replaceAll("\u001b\\[[0-9]*m", ""));
  }

  @Test
  void aStrangersNameMovesNoCursor() {
    String text = new Table("AGENT").row("a\u001b[2Jb").toString();
    assertFalse(text.contains("\u001b"), text);
  }

  @Test
  void anUnknownColumnIsADefect() {
    Table table = table();
    assertThrows(IllegalArgumentException.class, () -> table.expendable("NOTHING"));
  }

  @ParameterizedTest
  @CsvSource({
    "auto,   true,  xterm, '',   true",
    "auto,   false, xterm, '',   false",
    "auto,   true,  dumb,  '',   false",
    "auto,   true,  xterm, 1,    false",
    "always, false, dumb,  1,    true",
    "never,  true,  xterm, '',   false",
  })
  void coloursAreForTerminalsThatWantThem(
      String choice, boolean terminal, String term, String noColor, boolean colors) {
    ColorChoice when = ColorChoice.valueOf(choice.toUpperCase(java.util.Locale.ROOT));
    Map<String, String> environment = Map.of("TERM", term, "NO_COLOR", noColor);
    assertEquals(colors, Screen.of(when, environment, terminal, () -> 80).hasColors());
  }

  @ParameterizedTest
  @CsvSource({
    "'',   true,  120",
    "72,   true,  72",
    "many, true,  120",
    "-3,   true,  120",
    "5,    true,  20",
    "72,   false, 0",
  })
  void theWidthIsThatOfTheVariableThenTheTerminals(String columns, boolean terminal, int width) {
    Map<String, String> environment = Map.of("COLUMNS", columns);
    assertEquals(width, Screen.of(ColorChoice.AUTO, environment, terminal, () -> 120).width());
  }
}
