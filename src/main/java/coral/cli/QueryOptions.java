package coral.cli;

import coral.model.ColonyId;
import coral.model.Endpoint;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** What every query can be told: which colony, where, and how to write the answer. */
final class QueryOptions {
  /** A query waits no longer than a person does. */
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  @Option(
      names = "--colony",
      paramLabel = "ID",
      converter = ColonyIdConverter.class,
      description = "The colony (default: the only one under CORAL_HOME).")
  private @Nullable ColonyId colony;

  @Option(
      names = "--endpoint",
      paramLabel = "HOST:PORT",
      converter = EndpointConverter.class,
      description =
          "Where the colony answers (default: this host, at the port of its colony.conf).")
  private @Nullable Endpoint endpoint;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "table (the default) or json.")
  private OutputFormat output = OutputFormat.TABLE;

  boolean json() {
    return output == OutputFormat.JSON;
  }

  /** A client for the chosen colony, as its administrator. */
  ColonyClient connect(CoralCommand root) {
    CoralHome home = root.home();
    ColonyId chosen = home.choose(Optional.ofNullable(colony));
    return ColonyClient.connect(
        chosen, home.colony(chosen), Optional.ofNullable(endpoint), TIMEOUT);
  }

  /** Messages of wrong values come from the types of the model. */
  static final class ColonyIdConverter implements ITypeConverter<ColonyId> {
    @Override
    public ColonyId convert(String value) {
      try {
        return new ColonyId(value);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /** As above. */
  static final class EndpointConverter implements ITypeConverter<Endpoint> {
    @Override
    public Endpoint convert(String value) {
      try {
        return Endpoint.parse(value);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
