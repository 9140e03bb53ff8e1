package coral.cli;

import coral.model.ColonyId;
import coral.model.Endpoint;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
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

  /** Discovery is asked last, and by then somebody has waited already. */
  private static final Duration DISCOVERY_TIMEOUT = Duration.ofSeconds(2);

  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec command;

  @Option(
      names = "--colony",
      paramLabel = "ID",
      converter = ColonyIdConverter.class,
      description =
          "The colony (default: CORAL_COLONY_ID, then that of 'coral context use', then the only"
              + " one).")
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
          "Where the colony answers; then nothing else is tried (default: a running proxy, then"
              + " the mesh, then what the context or colony.conf says).")
  private @Nullable Endpoint endpoint;

  @Option(
      names = "--via",
      paramLabel = "WAY",
      description = "The only way to try: proxy, mesh or public.")
  private @Nullable Via via;

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
    ColonyContext chosen = context();
    RouteLog log = log();
    Routes routes = new Routes(chosen, root().home(), wish(), DISCOVERY_TIMEOUT, log);
    return ColonyClient.of(chosen, routes, timeout, log);
  }

  /** The chosen colony. */
  final ColonyContext context() {
    return ColonyContext.choose(
        root(), Optional.ofNullable(colony), Optional.ofNullable(directory));
  }

  /** Whether the user has named a colony or a place, rather than left the choice. */
  final boolean isNamed() {
    return colony != null || directory != null || endpoint != null;
  }

  /** Which ways to take. */
  final Routes.Wish wish() {
    return new Routes.Wish(Optional.ofNullable(via), Optional.ofNullable(endpoint));
  }

  /** The command at the top of the tree. */
  final CoralCommand root() {
    return CoralCommand.root(command);
  }

  /** Whether to tell what is tried. */
  final boolean isVerbose() {
    return root().verbose;
  }

  private RouteLog log() {
    return isVerbose()
        ? RouteLog.to(CoralCommand.given(command).commandLine().getErr(), InstantSource.system())
        : RouteLog.silent();
  }

  /** Where the answer is shown if people read it. */
  final Screen screen() {
    return root().screen();
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
