package coral.cli;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Reads a constant by what it prints itself as, in any case. A wrong value is told the right ones
 * in the form that help and completion show them; picocli's own message has the names of constants.
 */
final class EnumConverter<E extends Enum<E>> implements ITypeConverter<E> {
  private final List<E> constants;

  private EnumConverter(Class<E> type) {
    this.constants = List.of(type.getEnumConstants());
  }

  /** Lets every option of this type, in every command, be read so. */
  static <E extends Enum<E>> void register(picocli.CommandLine line, Class<E> type) {
    line.registerConverter(type, new EnumConverter<>(type));
  }

  @Override
  public E convert(String value) {
    return constants.stream()
        .filter(constant -> constant.toString().equalsIgnoreCase(value))
        .findFirst()
        .orElseThrow(
            () -> new TypeConversionException("expected " + expected() + ", not '" + value + "'"));
  }

  private String expected() {
    Stream<String> names = constants.stream().map(Enum::toString);
    String all = names.collect(Collectors.joining(", "));
    int last = all.lastIndexOf(", ");
    return last < 0 ? all : all.substring(0, last) + " or " + all.substring(last + 2);
  }
}
