package coral.cli;

import java.util.Map;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Where an answer for people is shown: how long its lines may be, and whether it has colours.
 * Whatever is no terminal gets everything, and no colours unless they are asked for.
 */
final class Screen {
  /** A file or another program. */
  static final Screen PLAIN = new Screen(() -> 0, false);

  /** Lines that nobody could read anyway. */
  private static final int MIN_WIDTH = 20;

  private static final int UNKNOWN = -1;

  private final IntSupplier measured;
  private final boolean colors;
  private int width = UNKNOWN;

  private Screen(IntSupplier measured, boolean colors) {
    this.measured = measured;
    this.colors = colors;
  }

  /** A terminal of this many characters a line; 0 for no limit. */
  static Screen of(int width, boolean colors) {
    return new Screen(() -> width, colors);
  }

  /**
   * Standard output, as the options and the environment have it.
   *
   * @param terminal whether it is one
   * @param size its characters a line by its own account, 0 if it does not say; asked once, when
   *     somebody wants to know
   */
  static Screen of(
      ColorChoice choice, Map<String, String> environment, boolean terminal, IntSupplier size) {
    boolean colors =
        switch (choice) {
          case ALWAYS -> true;
          case NEVER -> false;
          case AUTO -> terminal && hasColors(environment);
        };
    if (!terminal) {
      return new Screen(() -> 0, colors);
    }
    int columns = columns(environment.get("COLUMNS"));
    return new Screen(columns > 0 ? () -> columns : size, colors);
  }

  private static boolean hasColors(Map<String, String> environment) {
    @Nullable String refused = environment.get("NO_COLOR");
    return (refused == null || refused.isEmpty()) && !"dumb".equals(environment.get("TERM"));
  }

  private static int columns(@Nullable String variable) {
    try {
      return variable == null ? 0 : Integer.parseInt(variable.strip());
    } catch (NumberFormatException e) {
      return 0; // somebody else's variable
    }
  }

  /** Characters a line may have; 0 for no limit. */
  int width() {
    if (width == UNKNOWN) {
      int found = measured.getAsInt();
      width = found <= 0 ? 0 : Math.max(MIN_WIDTH, found);
    }
    return width;
  }

  boolean hasColors() {
    return colors;
  }

  /** The text in a colour, where there are colours. */
  String paint(Paint paint, String text) {
    return colors ? paint.on(text) : text;
  }

  /** The name of a state in its colour. */
  String state(String state) {
    return paint(Paint.ofState(state), state);
  }
}
