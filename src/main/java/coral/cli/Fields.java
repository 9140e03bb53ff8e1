package coral.cli;

/** Names and values, one pair a line, for people. */
final class Fields {
  private final StringBuilder text = new StringBuilder();

  /** Adds a line. An empty value is a dash; control characters are question marks. */
  Fields add(String name, String value) {
    text.append(String.format("%-15s%s%n", name, value.isEmpty() ? "-" : Table.printable(value)));
    return this;
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
