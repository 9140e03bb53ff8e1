package coral.cli;

import java.util.Locale;

/** What colours mean in answers: ECMA-48, section 8.3.117. */
enum Paint {
  /** As it should be. */
  GOOD("32"),
  /** Wants a look. */
  WARNING("33"),
  /** Does not work, or must not. */
  BAD("31"),
  /** Of a table. */
  HEADING("1"),
  /** Neither good nor bad. */
  NONE("");

  private final String rendition;

  Paint(String rendition) {
    this.rendition = rendition;
  }

  /** The text in this colour. */
  String on(String text) {
    return this == NONE || text.isEmpty() ? text : "\u001b[" + rendition + "m" + text + "\u001b[0m";
  }

  /** The colour of a word by which the protocol or a command names a state. */
  static Paint ofState(String state) {
    return switch (state.toLowerCase(Locale.ROOT)) {
      case "healthy", "running", "online", "connected", "good", "valid", "open", "active" -> GOOD;
      case "degraded", "connecting", "frozen", "expired", "superseded", "draining", "prepared" ->
          WARNING;
      case "unhealthy", "offline", "killed", "revoked", "unreachable" -> BAD;
      default -> NONE;
    };
  }
}
