package coral.storage;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.datatype.jsr310.deser.InstantDeserializer;
import java.io.IOException;
import java.io.Serial;
import java.time.Instant;
import java.time.LocalDate;
import java.time.YearMonth;
import org.jspecify.annotations.Nullable;

/**
 * Reads the instants of the journal, in the form in which {@link Instant#toString} writes them. A
 * snapshot has one for each address, and Jackson's own reader takes most of the time of a start
 * with 65,000 of them. Whatever else stands there is read by Jackson.
 */
final class InstantReader extends StdScalarDeserializer<Instant> {
  @Serial private static final long serialVersionUID = 1;

  /** {@code 2026-01-02T03:04:05}, then perhaps a fraction, then {@code Z}. */
  private static final String FORM = "dddd-dd-ddTdd:dd:dd";

  private static final int MAX_FRACTION_DIGITS = 9;
  private static final int SECONDS_PER_DAY = 86_400;

  InstantReader() {
    super(Instant.class);
  }

  @Override
  public Instant deserialize(JsonParser parser, DeserializationContext context) throws IOException {
    if (parser.hasToken(JsonToken.VALUE_STRING)) {
      Instant instant = parse(parser.getText());
      if (instant != null) {
        return instant;
      }
    }
    return InstantDeserializer.INSTANT.deserialize(parser, context);
  }

  /** The instant; null if the text has another form or names no time. */
  static @Nullable Instant parse(String text) {
    int end = text.length() - 1;
    if (end < FORM.length() || text.charAt(end) != 'Z') {
      return null;
    }
    for (int i = 0; i < FORM.length(); i++) {
      char expected = FORM.charAt(i);
      if (expected == 'd' ? !isDigit(text.charAt(i)) : text.charAt(i) != expected) {
        return null;
      }
    }
    int month = number(text, 5, 7);
    int day = number(text, 8, 10);
    int hour = number(text, 11, 13);
    int minute = number(text, 14, 16);
    int second = number(text, 17, 19);
    int nanoseconds = fraction(text, FORM.length(), end);
    if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) {
      return null;
    }
    int year = number(text, 0, 4);
    if (nanoseconds < 0 || day > YearMonth.of(year, month).lengthOfMonth()) {
      return null;
    }
    long days = LocalDate.of(year, month, day).toEpochDay();
    return Instant.ofEpochSecond(
        days * SECONDS_PER_DAY + hour * 3_600L + minute * 60L + second, nanoseconds);
  }

  /** Nanoseconds; -1 if it is not a point and one to nine digits, or nothing. */
  private static int fraction(String text, int from, int end) {
    if (from == end) {
      return 0;
    }
    int digits = end - from - 1;
    if (text.charAt(from) != '.' || digits < 1 || digits > MAX_FRACTION_DIGITS) {
      return -1;
    }
    for (int i = from + 1; i < end; i++) {
      if (!isDigit(text.charAt(i))) {
        return -1;
      }
    }
    int value = number(text, from + 1, end);
    for (int i = digits; i < MAX_FRACTION_DIGITS; i++) {
      value *= 10;
    }
    return value;
  }

  private static int number(String text, int from, int to) {
    int value = 0;
    for (int i = from; i < to; i++) {
      value = 10 * value + text.charAt(i) - '0';
    }
    return value;
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }
}
