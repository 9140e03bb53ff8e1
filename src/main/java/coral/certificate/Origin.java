package coral.certificate;

/**
 * Who caused something, for the journal and the audit. Never a secret.
 *
 * @param by the caller as its certificate says, such as {@code admin/root}; {@code anyone} for one
 *     without
 * @param source the address that the request came from; empty if it came from none
 * @param requestId as the caller chose it; empty for none
 */
public record Origin(String by, String source, String requestId) {
  /** A caller without a certificate. */
  public static final String ANYONE = "anyone";

  /** What the colony does by itself. */
  public static final Origin COLONY = new Origin("colony", "", "");

  private static final int MAX_LENGTH = 128;

  /** Text that is too long is cut, and what could not be printed becomes {@code ?}. */
  public Origin {
    by = clean(by);
    source = clean(source);
    requestId = clean(requestId);
  }

  private static String clean(String text) {
    String printable = text.replaceAll("[^\\x20-\\x7e]", "?");
    return printable.substring(0, Math.min(printable.length(), MAX_LENGTH));
  }
}
