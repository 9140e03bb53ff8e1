package coral.colony;

import coral.model.AgentId;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.model.WireGuardKey;
import java.time.Duration;
import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Pattern;

/** What the edges demand of the fields of requests. */
final class Requests {
  /** Agents or allocations on one page, also when none is asked for. */
  static final int MAX_PAGE = 1_000;

  /** Longer than any secret that a colony makes. */
  static final int MAX_SECRET = 256;

  /** 16 octets, as every certificate of the colony has it. */
  private static final Pattern SERIAL_NUMBER = Pattern.compile("[0-9a-fA-F]{32}");

  private static final int MAX_REQUEST_ID = 64;
  private static final int MAX_COMPONENT_NAME = 63;

  private Requests() {}

  static AgentId agentId(String text) {
    return value(text, AgentId::new);
  }

  static WireGuardKey wireGuardKey(String text) {
    return value(text, WireGuardKey::parse);
  }

  static String requestId(String text) {
    if (text.isEmpty() || text.length() > MAX_REQUEST_ID) {
      throw invalid("a request_id has 1 to " + MAX_REQUEST_ID + " characters");
    }
    return text;
  }

  /** A request id, or none. */
  static String optionalRequestId(String text) {
    return text.isEmpty() ? text : requestId(text);
  }

  /** The number of a certificate of this colony, in lower-case digits. */
  static String serialNumber(String text) {
    if (!SERIAL_NUMBER.matcher(text).matches()) {
      throw invalid("a serial_number is 32 hexadecimal digits");
    }
    return text.toLowerCase(Locale.ROOT);
  }

  /** Text for people. */
  static String text(String field, String text, int most) {
    if (text.codePointCount(0, text.length()) > most
        || text.chars().anyMatch(Character::isISOControl)) {
      throw invalid("a " + field + " has at most " + most + " printable characters");
    }
    return text;
  }

  /** Refuses a secret that is longer than any, without a word of it. */
  static void length(String field, String text, int most) {
    if (text.length() > most) {
      throw invalid("a field " + field + " has at most " + most + " characters");
    }
  }

  /** A duration within its bounds. */
  static Duration duration(
      String field, com.google.protobuf.Duration duration, Duration least, Duration most) {
    try {
      Duration read = Protobuf.duration(duration);
      if (read.compareTo(least) >= 0 && read.compareTo(most) <= 0) {
        return read;
      }
    } catch (ArithmeticException e) {
      // The same sentence as for one that is out of bounds.
    }
    throw invalid(
        "a " + field + " is " + least.toSeconds() + " to " + most.toSeconds() + " seconds");
  }

  static String componentName(String text) {
    if (text.length() > MAX_COMPONENT_NAME || text.chars().anyMatch(Character::isISOControl)) {
      throw invalid("a component_name has at most " + MAX_COMPONENT_NAME + " printable characters");
    }
    return text;
  }

  static int pageSize(int asked) {
    if (asked < 0 || asked > MAX_PAGE) {
      throw invalid("a page_size is 0 to " + MAX_PAGE + ", not " + asked);
    }
    return asked == 0 ? MAX_PAGE : asked;
  }

  /** The host number that a page starts at: what the page before named as the next one's. */
  static int pageToken(String token) {
    if (token.isEmpty()) {
      return 0;
    }
    try {
      int hostNumber = Integer.parseInt(token);
      if (hostNumber > 0) {
        return hostNumber;
      }
    } catch (NumberFormatException e) {
      // The same sentence as for a number that is none of ours.
    }
    throw invalid("a page_token is what the page before gave as next_page_token");
  }

  private static <T> T value(String text, Function<String, T> parse) {
    try {
      return parse.apply(text);
    } catch (IllegalArgumentException e) {
      throw invalid(String.valueOf(e.getMessage()));
    }
  }

  private static RefusedException invalid(String message) {
    return new RefusedException(Failure.INVALID_ARGUMENT, message);
  }
}
