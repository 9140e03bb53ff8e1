package coral.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/**
 * The name of a colony, and of its mesh in discovery (RFD 005: {@code my-app-prod-a3f2e1}).
 *
 * @param value 1 to 63 characters of {@code [a-z0-9][a-z0-9-]*}
 */
public record ColonyId(@JsonValue String value) {
  private static final Pattern SYNTAX = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");

  /**
   * @throws IllegalArgumentException if {@code value} does not have the syntax of a colony id
   */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public ColonyId {
    if (!SYNTAX.matcher(value).matches()) {
      throw new IllegalArgumentException(
          "a colony id has 1 to 63 characters: a lower-case letter or digit, then lower-case"
              + " letters, digits or '-'");
    }
  }

  @Override
  public String toString() {
    return value;
  }
}
