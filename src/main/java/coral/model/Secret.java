package coral.model;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;

/** Text that must never reach a log, an error or a metric: its {@code toString} hides it. */
public final class Secret {
  private final String value;

  public Secret(String value) {
    this.value = value;
  }

  /** The secret itself, for the one place that sends or hashes it. */
  public String reveal() {
    return value;
  }

  /** Compares in a time that does not depend on where the two differ. */
  public boolean matches(String candidate) {
    return MessageDigest.isEqual(
        value.getBytes(StandardCharsets.UTF_8), candidate.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Secret secret && matches(secret.value);
  }

  @Override
  public int hashCode() {
    return value.hashCode();
  }

  @Override
  public String toString() {
    return "(hidden)";
  }
}
