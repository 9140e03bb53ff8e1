package coral.cli;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.HexFormat;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Writes JSON (RFC 8259) in the order of the calls. A query that starts in a fraction of a second
 * has no time for a data-binding library.
 */
public final class Json {
  private static final HexFormat HEX = HexFormat.of();

  private final StringBuilder text;
  private boolean first = true;

  private Json(StringBuilder text) {
    this.text = text;
  }

  /** An object, on one line, with the fields that {@code fields} puts into it. */
  public static String object(Consumer<Json> fields) {
    StringBuilder text = new StringBuilder();
    object(text, fields);
    return text.toString();
  }

  private static void object(StringBuilder text, Consumer<Json> fields) {
    text.append('{');
    fields.accept(new Json(text));
    text.append('}');
  }

  /** A string field. */
  public Json put(String name, String value) {
    name(name);
    string(text, value);
    return this;
  }

  /** A string or a time as above, or null. */
  public Json put(String name, Optional<?> value) {
    if (value.isEmpty()) {
      return putNull(name);
    }
    return value.get() instanceof Instant time
        ? put(name, time)
        : put(name, value.get().toString());
  }

  /** A whole number. */
  public Json put(String name, long value) {
    name(name);
    text.append(value);
    return this;
  }

  /** A number with a fraction; not finite becomes null, which JSON has no number for. */
  public Json put(String name, double value) {
    name(name);
    text.append(Double.isFinite(value) ? Double.toString(value) : "null");
    return this;
  }

  public Json put(String name, boolean value) {
    name(name);
    text.append(value);
    return this;
  }

  /** An instant in UTC as ISO 8601, to the millisecond. */
  public Json put(String name, Instant value) {
    return put(name, value.truncatedTo(ChronoUnit.MILLIS).toString());
  }

  /** A field without a value. */
  public Json putNull(String name) {
    name(name);
    text.append("null");
    return this;
  }

  /** An object within this one. */
  public Json putObject(String name, Consumer<Json> fields) {
    name(name);
    object(text, fields);
    return this;
  }

  /** An array of objects, one for each item. */
  public <T> Json putObjects(String name, Collection<T> items, BiConsumer<Json, T> fields) {
    name(name);
    text.append('[');
    String separator = "";
    for (T item : items) {
      text.append(separator);
      separator = ",";
      object(text, json -> fields.accept(json, item));
    }
    text.append(']');
    return this;
  }

  /** An array of strings. */
  public Json putStrings(String name, Collection<String> items) {
    name(name);
    text.append('[');
    String separator = "";
    for (String item : items) {
      text.append(separator);
      separator = ",";
      string(text, item);
    }
    text.append(']');
    return this;
  }

  private void name(String name) {
    if (!first) {
      text.append(',');
    }
    first = false;
    string(text, name);
    text.append(':');
  }

  private static void string(StringBuilder text, String value) {
    text.append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      switch (c) {
        case '"' -> text.append("\\\"");
        case '\\' -> text.append("\\\\");
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        default -> {
          boolean unsafe = c < 0x20 || c == 0x7f || (Character.isSurrogate(c) && lone(value, i));
          if (unsafe) {
            text.append("\\u").append(HEX.toHexDigits(c));
          } else {
            text.append(c);
          }
        }
      }
    }
    text.append('"');
  }

  /** Half of a surrogate pair has no UTF-8 form; its escape does. */
  private static boolean lone(String value, int at) {
    char c = value.charAt(at);
    return Character.isHighSurrogate(c)
        ? at + 1 == value.length() || !Character.isLowSurrogate(value.charAt(at + 1))
        : at == 0 || !Character.isHighSurrogate(value.charAt(at - 1));
  }
}
