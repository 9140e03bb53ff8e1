package coral.cli;

import coral.colony.ColonyFiles;
import coral.colony.ColonySettings;
import coral.model.ColonyId;
import coral.settings.SettingsLoader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code coral init}. */
@Command(
    name = "init",
    description = {
      "Make a new colony: its id, secret, owner key, WireGuard key, authority and administrator's"
          + " certificate.",
      "",
      "Nothing is ever overwritten. All files are for their owner only."
    },
    footer = {
      "JSON: {colonyId, secret, caFingerprint, directory, settingsFile, secretFile,",
      "caCertificate, administratorCertificate, administratorKey}.",
      "",
      "Examples:",
      "  coral init my-app",
      "  coral init my-app --environment production -o json"
    })
final class InitCommand implements Callable<Integer> {
  @ParentCommand private @Nullable CoralCommand root;
  @Spec private @Nullable CommandSpec spec;

  @Parameters(
      paramLabel = "APP",
      description = "What the colony is for: lower-case letters, digits and '-'.")
  private String app = "";

  @Option(
      names = "--environment",
      paramLabel = "NAME",
      defaultValue = "dev",
      description = "Such as production (default: dev); a part of the colony's id.")
  private String environment = "";

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "Folder for the files (default: colonies/<colony id> under CORAL_HOME).")
  private @Nullable Path directory;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "table (the default: words for people), json or yaml.")
  private OutputFormat output = OutputFormat.TABLE;

  @Override
  public Integer call() {
    CoralHome home = CoralCommand.of(root).home();
    ColonyFiles.Created created = create(home);
    PrintWriter out = CoralCommand.out(spec);
    out.print(output.isStructured() ? output.document(json(created)) : text(created));
    out.flush();
    return CommandLine.DONE;
  }

  private ColonyFiles.Created create(CoralHome home) {
    InstantSource clock = InstantSource.system();
    try {
      ColonyId id = ColonyFiles.newId(app, environment);
      Path target = directory == null ? home.colony(id) : directory;
      return ColonyFiles.createIn(
          target,
          id,
          app,
          environment,
          ColonySettings.authority(SettingsLoader.load(Optional.empty())),
          clock);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(
          CoralCommand.given(spec).commandLine(),
          "'" + app + "' and '" + environment + "' do not make a colony id: " + e.getMessage(),
          e);
    } catch (FileAlreadyExistsException e) {
      throw new CommandFailedException(
          e.getFile() + ": " + e.getReason(),
          "Give another folder with --dir; nothing was changed.",
          e);
    } catch (IOException e) {
      throw new CommandFailedException(
          "the colony could not be made: " + e.getMessage(),
          "Nothing of it is of use: remove it.",
          e);
    }
  }

  private String json(ColonyFiles.Created created) {
    return Json.object(
        json ->
            json.put("colonyId", created.colonyId().value())
                .put("secret", created.secret().reveal())
                .put("caFingerprint", created.caFingerprint().value())
                .put("directory", created.directory().toString())
                .put("settingsFile", created.settingsFile().toString())
                .put("secretFile", created.secretFile().toString())
                .put("caCertificate", created.caCertificate().toString())
                .put("administratorCertificate", created.administratorCertificate().toString())
                .put("administratorKey", created.administratorKey().toString()));
  }

  private String text(ColonyFiles.Created created) {
    String start =
        directory == null
            ? "coral colony start --colony " + created.colonyId()
            : "coral colony start --config " + created.settingsFile();
    return """
    Made colony %1$s

      secret       %2$s
                   (shown only now; kept in %3$s)
      authority    %4$s
      folder       %5$s
      settings     %6$s

    Next:
      coral discovery start                 the directory, once for all colonies; prints its fingerprint
      CORAL_DISCOVERY_URL=https://DISCOVERY:8080 CORAL_DISCOVERY_FINGERPRINT=sha256:... \\
        %7$s
      coral invite                          prints the line that lets one host join
    """
        .formatted(
            created.colonyId(),
            created.secret().reveal(),
            created.secretFile(),
            created.caFingerprint(),
            created.directory(),
            created.settingsFile(),
            start);
  }
}
