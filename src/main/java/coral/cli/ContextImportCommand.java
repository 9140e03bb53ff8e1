package coral.cli;

import coral.files.SecureFiles;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.InvitationText;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code coral context import}. */
@Command(
    name = "import",
    description = {
      "Get to know a colony that lives elsewhere.",
      "",
      "By a file of 'coral context export', which must come over a channel that you trust: the"
          + " roots in it are believed. Or by an invitation of role viewer or operator: then this"
          + " command makes a key, which never leaves this host, and buys a certificate for it from"
          + " the colony that the invitation pins."
    },
    footer = {
      "JSON: {colonyId, current, directory, here, role, name, certificateExpiresAt, endpoints[],",
      "discoveryUrl, discoveryFingerprint, problem}; as 'coral context list' has them.",
      "",
      "Examples:",
      "  coral context import my-app.context",
      "  coral context import coral-invite:AbC...         of 'coral invite --role operator'",
      "  coral context import - < invitation              the same, kept out of the process list"
    })
final class ContextImportCommand implements Callable<Integer> {
  private static final String NOT_A_CONTEXT =
      "Give a file that 'coral context export' wrote, or the line that 'coral invite --role viewer'"
          + " printed.";

  @Mixin private ContextOptions options = new ContextOptions();

  @Parameters(
      paramLabel = "FILE|INVITATION",
      description = "What to import; '-' reads it from standard input.")
  private String what = "";

  @Option(
      names = "--name",
      paramLabel = "ID",
      converter = AgentIdConverter.class,
      description =
          "Your name in the colony, if the invitation leaves it to you (default: user and host).")
  private @Nullable AgentId name;

  @Option(names = "--force", description = "Replace what is known of this colony.")
  private boolean force;

  @Option(names = "--use", description = "Make it the colony that commands are about.")
  private boolean use;

  @Override
  public Integer call() throws IOException {
    String text = InvitationText.isInvitation(what) ? what : read().strip();
    CoralHome home = options.root().home();
    ColonyId id =
        InvitationText.isInvitation(text) ? fromInvitation(home, text) : fromFile(home, text);
    if (use) {
      home.use(id);
    }
    ContextSummary summary =
        ContextCommand.summaries(options.root()).stream()
            .filter(one -> one.id().equals(id))
            .findFirst()
            .orElseThrow();
    return options.answer(
        Json.object(summary::put),
        screen -> ContextCommand.text(summary, InstantSource.system().instant()));
  }

  private ColonyId fromFile(CoralHome home, String text) throws IOException {
    PortableContext context;
    try {
      context = PortableContext.parse(text);
    } catch (IllegalArgumentException e) {
      throw new CommandFailedException(
          "this is not a context: " + e.getMessage(), NOT_A_CONTEXT, e);
    }
    ColonyId id = context.record().colonyId();
    requireRoom(home, id);
    context.save(home.colony(id));
    return id;
  }

  private ColonyId fromInvitation(CoralHome home, String text) throws IOException {
    InvitationText invitation;
    try {
      invitation = InvitationText.parse(text);
    } catch (IllegalArgumentException e) {
      throw new CommandFailedException(
          String.valueOf(e.getMessage()), "Ask for another with 'coral invite'.", e);
    }
    requireRoom(home, invitation.colonyId());
    new InvitationPurchase(home, InstantSource.system())
        .buy(invitation, Optional.ofNullable(name))
        .save(home.colony(invitation.colonyId()));
    PendingKey.forget(home, invitation.colonyId());
    return invitation.colonyId();
  }

  private void requireRoom(CoralHome home, ColonyId id) {
    Path folder = home.colony(id);
    if (ContextRemoveCommand.ofAColony(folder).isPresent()) {
      throw new CommandFailedException(
          "colony " + id + " itself lives in " + folder,
          "Nothing was changed. Its administrator's certificate is there already; set CORAL_HOME to"
              + " ask as somebody else.");
    }
    if (Files.exists(folder) && !force) {
      throw new CommandFailedException(
          "colony " + id + " is known already, in " + folder,
          "Nothing was changed. --force replaces what is known.");
    }
  }

  private String read() {
    try {
      if (what.equals("-")) {
        return text(System.in);
      }
      Path file = Path.of(what);
      byte[] bytes = SecureFiles.read(file.toRealPath(), PortableContext.MAX_BYTES);
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new CommandFailedException(
          what + " cannot be read: " + e.getMessage(), NOT_A_CONTEXT, e);
    }
  }

  private static String text(InputStream in) throws IOException {
    byte[] bytes = in.readNBytes(PortableContext.MAX_BYTES + 1);
    if (bytes.length > PortableContext.MAX_BYTES) {
      throw new IOException("it is longer than " + (PortableContext.MAX_BYTES >> 10) + " KiB");
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
