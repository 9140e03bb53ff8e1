package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.colony.ColonyFiles;
import coral.model.ColonyId;
import coral.model.Endpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which colony a query asks, and where. */
class ColonyContextTest {
  private static final ColonyId ID = new ColonyId("my-app-dev-111111");

  @TempDir Path temporary;
  private final Map<String, String> environment = new HashMap<>();

  private ColonyContext choose(Optional<Path> directory, Optional<Path> config) {
    environment.put("CORAL_HOME", temporary.resolve("home").toString());
    CoralCommand root = new CoralCommand(environment);
    root.config = config.orElse(null);
    return ColonyContext.choose(root, Optional.empty(), directory);
  }

  /** As {@code init --dir} makes it. */
  private Path elsewhere(String more) throws IOException {
    Path folder = Files.createDirectories(temporary.resolve("elsewhere"));
    Files.writeString(
        folder.resolve("colony.conf"),
        "coral.colony { id = \"" + ID + "\", directory = \"" + folder + "\" }\n" + more);
    return folder;
  }

  @Test
  void aColonyOutsideOfTheHomeIsAskedByItsFolder() throws IOException {
    Path folder = elsewhere("");
    ColonyContext chosen = choose(Optional.of(folder), Optional.empty());
    assertEquals(ID, chosen.id());
    assertEquals(folder, chosen.folder());
    assertEquals(Optional.of(new Endpoint("127.0.0.1", 9000)), chosen.own());
  }

  @Test
  void aColonyOutsideOfTheHomeIsAskedByItsSettingsFile() throws IOException {
    Path folder = elsewhere("coral.colony.listen.port = 9001\n");
    ColonyContext chosen = choose(Optional.empty(), Optional.of(folder.resolve("colony.conf")));
    assertEquals(ID, chosen.id());
    assertEquals(folder, chosen.folder());
    assertEquals(9001, chosen.connectPort());
  }

  @Test
  void thePortIsTheVariablesThenThatOfConfigThenTheColonysOwn() throws IOException {
    Path folder = elsewhere("coral.colony.listen.port = 9001\n");
    Path config =
        Files.writeString(temporary.resolve("more.conf"), "coral.colony.listen.port = 9002\n");
    assertEquals(9001, choose(Optional.of(folder), Optional.empty()).connectPort());
    assertEquals(9002, choose(Optional.of(folder), Optional.of(config)).connectPort());
    environment.put("CORAL_COLONY_PORT", "9003");
    assertEquals(9003, choose(Optional.of(folder), Optional.of(config)).connectPort());
  }

  @Test
  void aWrongPortAndAFolderWithoutAColonyAreToldAsThatWhatTheyAre() throws IOException {
    environment.put("CORAL_COLONY_PORT", "http");
    Path folder = elsewhere("");
    CommandFailedException wrongPort =
        assertThrows(
            CommandFailedException.class, () -> choose(Optional.of(folder), Optional.empty()));
    String port = String.valueOf(wrongPort.getMessage());
    assertTrue(port.contains("'http'"), port);
    CommandFailedException nothing =
        assertThrows(
            CommandFailedException.class, () -> choose(Optional.of(temporary), Optional.empty()));
    String none = String.valueOf(nothing.getMessage());
    assertTrue(none.contains("no colony in " + temporary), none);
  }

  @Test
  void aColonyIsLookedForWhereItKeepsItsFiles() {
    assertEquals(ColonyFiles.directory(temporary, ID), new CoralHome(temporary).colony(ID));
  }
}
