package coral.cli;

import coral.model.AgentId;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads an agent id; what is wrong with one the type of the model says. */
final class AgentIdConverter implements ITypeConverter<AgentId> {
  @Override
  public AgentId convert(String value) {
    try {
      return new AgentId(value);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException("'" + value + "': " + e.getMessage());
    }
  }
}
