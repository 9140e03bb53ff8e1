package coral.cli;

import coral.model.ColonyId;
import coral.model.Endpoint;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Which colony a command is about, and where it answers. */
class ColonyOptions {
  /** A query waits no longer than a person does. */
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec command;

  @Option(
      names = "--colony",
      paramLabel = "ID",
      converter = ColonyIdConverter.class,
      description = "The colony (default: the only one under CORAL_HOME).")
  private @Nullable ColonyId colony;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "The colony's folder, if 'init --dir' made it elsewhere.")
  private @Nullable Path directory;

  @Option(
      names = "--endpoint",
      paramLabel = "HOST:PORT",
      converter = EndpointConverter.class,
      description =
          "Where the colony answers (default: this host, at CORAL_COLONY_PORT or else the port in"
              + " --config or the colony's own colony.conf).")
  private @Nullable Endpoint endpoint;

  /** A client for the chosen colony, as its administrator. */
  ColonyClient connect() {
    return connect(TIMEOUT);
  }

  /**
   * The same for a call that takes longer than a query.
   *
   * @param timeout of each call
   */
  ColonyClient connect(Duration timeout) {
    CoralCommand root = CoralCommand.root(command);
    LocalColony chosen =
        LocalColony.choose(root, Optional.ofNullable(colony), Optional.ofNullable(directory));
    Endpoint target = endpoint == null ? chosen.endpoint() : endpoint;
    return ColonyClient.connect(chosen.id(), chosen.folder(), target, timeout);
  }

  /** Where the answer is shown if people read it. */
  final Screen screen() {
    return CoralCommand.root(command).screen();
  }

  /** Where the command writes its answer. */
  final PrintWriter out() {
    return CoralCommand.out(command);
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
