package coral.cli;

import coral.colony.ColonyFiles;
import coral.files.SecureFiles;
import coral.model.ColonyId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where this user's colonies and agents live.
 *
 * @param directory {@code CORAL_HOME}, by default {@code ~/.coral}; it need not exist
 */
public record CoralHome(Path directory) {
  static final String VARIABLE = "CORAL_HOME";

  /** Names the colony that commands are about. */
  static final String COLONY_VARIABLE = "CORAL_COLONY_ID";

  private static final String COLONIES = "colonies";

  static CoralHome of(Map<String, String> environment) {
    @Nullable String home = environment.get(VARIABLE);
    return home == null || home.isEmpty()
        ? new CoralHome(Path.of(System.getProperty("user.home"), ".coral"))
        : new CoralHome(Path.of(home));
  }

  /**
   * The folder of one colony; it need not exist. The same as {@link ColonyFiles#directory}, which a
   * query does not load: with it come logging and its configuration.
   */
  Path colony(ColonyId colony) {
    return directory.resolve(COLONIES).resolve(colony.value());
  }

  /** The colonies that have a folder here, in alphabetical order. */
  List<ColonyId> colonies() {
    Path colonies = directory.resolve(COLONIES);
    List<ColonyId> found = new ArrayList<>();
    try (Stream<Path> folders = Files.list(colonies)) {
      folders
          .filter(Files::isDirectory)
          .map(folder -> folder.getFileName().toString())
          .sorted()
          .forEach(name -> colonyId(name).ifPresent(found::add));
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException | UncheckedIOException e) {
      throw new CommandFailedException(
          "cannot read " + colonies + ": " + e, "Check that you may read this folder.", e);
    }
    return found;
  }

  /**
   * The colony that the environment names.
   *
   * @throws CommandFailedException if it names none that could be
   */
  Optional<ColonyId> named(Map<String, String> environment) {
    @Nullable String id = environment.get(COLONY_VARIABLE);
    if (id == null || id.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(new ColonyId(id));
    } catch (IllegalArgumentException e) {
      throw new CommandFailedException(
          COLONY_VARIABLE + " is '" + id + "': " + e.getMessage(), "Correct it, or unset it.", e);
    }
  }

  /**
   * The colony that commands are about unless they are told another, as {@link #use} left it; it
   * need not have a folder any more.
   *
   * @throws CommandFailedException if the file cannot be read
   */
  Optional<ColonyId> current() {
    Path file = currentFile();
    try {
      return Optional.of(new ColonyId(Files.readString(file).strip()));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException | IllegalArgumentException e) {
      throw new CommandFailedException(
          file + " does not hold the id of a colony: " + e.getMessage(),
          "Write it anew with 'coral context use ID', or remove it.",
          e);
    }
  }

  /** Makes a colony the one that commands are about. */
  void use(ColonyId colony) throws IOException {
    SecureFiles.write(currentFile(), (colony + "\n").getBytes(StandardCharsets.UTF_8));
  }

  /** From now on there is no default. */
  void useNone() throws IOException {
    Files.deleteIfExists(currentFile());
  }

  private Path currentFile() {
    return directory.resolve("current-colony");
  }

  /**
   * The colony that a command is about: the one named, else the default, else the only one here.
   *
   * @throws CommandFailedException if there is none, or no telling which
   */
  ColonyId choose(Optional<ColonyId> named) {
    if (named.isPresent()) {
      if (!Files.isDirectory(colony(named.get()))) {
        throw new CommandFailedException(
            "there is no colony " + named.get() + " under " + directory,
            known(colonies())
                + "Import it with 'coral context import', or set CORAL_HOME if it lives"
                + " elsewhere.");
      }
      return named.get();
    }
    Optional<ColonyId> current = current();
    if (current.isPresent()) {
      if (!Files.isDirectory(colony(current.get()))) {
        throw new CommandFailedException(
            "the default colony, " + current.get() + ", has no folder under " + directory,
            known(colonies()) + "Choose another with 'coral context use ID'.");
      }
      return current.get();
    }
    List<ColonyId> colonies = colonies();
    if (colonies.isEmpty()) {
      throw new CommandFailedException(
          "there is no colony under " + directory,
          "Make one with 'coral init APP', import one with 'coral context import', or set"
              + " CORAL_HOME to where it lives.");
    }
    if (colonies.size() > 1) {
      throw new CommandFailedException(
          "there are " + colonies.size() + " colonies under " + directory,
          known(colonies)
              + "Say which with --colony ID, or once and for all with 'coral context use ID'.");
    }
    return colonies.get(0);
  }

  private static String known(List<ColonyId> colonies) {
    return colonies.isEmpty()
        ? ""
        : "Known: "
            + colonies.stream().map(ColonyId::value).collect(Collectors.joining(", "))
            + ".\n";
  }

  private static Optional<ColonyId> colonyId(String name) {
    try {
      return Optional.of(new ColonyId(name));
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // some other folder
    }
  }
}
