package coral.cli;

import java.util.Locale;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads the serial number of a certificate as people copy it: also as openssl prints it. */
final class SerialNumber implements ITypeConverter<String> {
  /** 20 octets at most (RFC 5280, section 4.1.2.2). */
  private static final Pattern SYNTAX = Pattern.compile("[0-9a-f]{1,40}");

  @Override
  public String convert(String value) {
    String serial = value.toLowerCase(Locale.ROOT).replace(":", "");
    if (!SYNTAX.matcher(serial).matches()) {
      throw new TypeConversionException(
          "expected up to 40 hexadecimal digits, as 'coral certificates list' shows them, not '"
              + value
              + "'");
    }
    return serial;
  }
}
