package coral.cli;

import coral.certificate.Authority;
import coral.certificate.Identity;
import coral.certificate.SerialNumbers;
import coral.colony.AdministratorFiles;
import coral.colony.ColonyFiles;
import coral.colony.ColonySettings;
import coral.model.ColonyId;
import coral.settings.SettingsLoader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code coral admin}. */
@Command(
    name = "admin",
    description = "The colony's administrator, as whom these commands ask.",
    footer = {"Examples:", "  coral admin renew"},
    subcommands = AdminCommand.Renewal.class)
final class AdminCommand extends CommandGroup {
  /** {@code coral admin renew}. */
  @Command(
      name = "renew",
      description = {
        "Give the administrator a new key and certificate, good for a year.",
        "",
        "On the colony's host and as its user, with the keys in the colony's folder: the colony"
            + " need not run and is not asked. Wanted before the certificate ends, and before a"
            + " former root is retired that it comes from. The former certificate ends when the"
            + " colony first sees the new one."
      },
      footer = {
        "JSON: {colonyId, serialNumber, expiresAt, administratorCertificate, administratorKey};",
        "the time is ISO 8601 in UTC.",
        "",
        "Examples:",
        "  coral admin renew",
        "  coral admin renew --dir /srv/colony"
      })
  static final class Renewal implements Callable<Integer> {
    @Spec private @Nullable CommandSpec spec;

    @Option(
        names = "--colony",
        paramLabel = "ID",
        converter = ColonyOptions.ColonyIdConverter.class,
        description = "The colony (default: the only one under CORAL_HOME).")
    private @Nullable ColonyId colony;

    @Option(
        names = "--dir",
        paramLabel = "DIR",
        description = "The colony's folder, if 'init --dir' made it elsewhere.")
    private @Nullable Path directory;

    @Option(
        names = {"-o", "--output"},
        paramLabel = "FORMAT",
        defaultValue = "table",
        description = "table (the default: words for people), json or yaml.")
    private OutputFormat output = OutputFormat.TABLE;

    @Override
    public Integer call() {
      CoralCommand root = CoralCommand.root(spec);
      ColonyContext chosen =
          ColonyContext.choose(root, Optional.ofNullable(colony), Optional.ofNullable(directory));
      AdministratorFiles files = new ColonyFiles(chosen.folder()).administrator();
      Path certificates = files.certificate();
      Path key = files.key();
      Identity renewed;
      try {
        renewed = files.renew(authority(root, chosen), InstantSource.system().instant());
      } catch (IOException | IllegalStateException e) {
        throw new CommandFailedException(
            "the administrator's certificate was not renewed: " + e.getMessage(),
            "Run it on the colony's host, as the user that the colony runs as.",
            e);
      }
      PrintWriter out = CoralCommand.out(spec);
      X509Certificate leaf = renewed.certificate();
      String serial = SerialNumbers.hex(leaf.getSerialNumber());
      Instant end = leaf.getNotAfter().toInstant();
      if (output.isStructured()) {
        out.print(
            output.document(
                Json.object(
                    json ->
                        json.put("colonyId", chosen.id().value())
                            .put("serialNumber", serial)
                            .put("expiresAt", end)
                            .put("administratorCertificate", certificates.toString())
                            .put("administratorKey", key.toString()))));
      } else {
        out.println("The administrator of " + chosen.id() + " has certificate " + serial);
        out.println("in " + certificates + ", good until " + end + ". The former one ends when");
        out.println("the colony first sees it.");
      }
      out.flush();
      return CommandLine.DONE;
    }

    private static Authority authority(CoralCommand root, ColonyContext chosen) throws IOException {
      List<Path> files = new ArrayList<>(root.configFile().stream().toList());
      Path own = chosen.folder().resolve(ColonyStartCommand.SETTINGS);
      if (Files.exists(own)) {
        files.add(own);
      }
      return Authority.load(
          chosen.folder(),
          ColonySettings.authority(SettingsLoader.load(files)).open(chosen.folder()));
    }
  }
}
