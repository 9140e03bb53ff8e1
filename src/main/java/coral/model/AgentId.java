package coral.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/**
 * The name of an agent within one colony: the CN of its certificate, and what its address belongs
 * to.
 *
 * @param value 1 to 63 characters of {@code [a-z0-9][a-z0-9._-]*}
 */
public record AgentId(@JsonValue String value) implements Comparable<AgentId> {
  private static final Pattern SYNTAX = Pattern.compile("[a-z0-9][a-z0-9._-]{0,62}");

  /**
   * @throws IllegalArgumentException if {@code value} does not have the syntax of an agent id
   */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public AgentId {
    if (!SYNTAX.matcher(value).matches()) {
      throw new IllegalArgumentException(
          "an agent id has 1 to 63 characters: a lower-case letter or digit, then lower-case"
              + " letters, digits, '.', '_' or '-'");
    }
  }

  @Override
  public int compareTo(AgentId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
