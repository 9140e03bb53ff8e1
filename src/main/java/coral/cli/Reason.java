package coral.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads why somebody does something: a line that the audit log keeps. */
final class Reason implements ITypeConverter<String> {
  /** As the protocol has it. */
  private static final int MAX_LENGTH = 255;

  @Override
  public String convert(String value) {
    if (value.isBlank() || value.length() > MAX_LENGTH || !Table.printable(value).equals(value)) {
      throw new TypeConversionException(
          "expected 1 to " + MAX_LENGTH + " characters on one line, for whoever reads the audit");
    }
    return value;
  }
}
