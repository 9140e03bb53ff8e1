package coral.cli;

import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.InvitationText;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code coral context}. */
@Command(
    name = "context",
    description = {
      "The colonies that commands of this user know, and which one they are about.",
      "",
      "A command is about the colony of --colony, else of CORAL_COLONY_ID, else the one that"
          + " 'coral context use' chose, else the only one there is."
    },
    footer = {
      "Examples:",
      "  coral context list",
      "  coral context use my-app-production-4f21aa",
      "  coral context import coral-invite:...            of 'coral invite --role viewer'",
      "  coral context export > my-app.context            for another host"
    },
    subcommands = {
      ContextCommand.Listing.class,
      ContextCommand.Use.class,
      ContextCommand.Show.class,
      ContextImportCommand.class,
      ContextExportCommand.class,
      ContextRemoveCommand.class
    })
final class ContextCommand extends CommandGroup {
  /** {@code coral context list}. */
  @Command(
      name = "list",
      description = "Every colony under CORAL_HOME; nothing is asked. 'coral status' asks.",
      footer = {
        "JSON: {contexts: [{colonyId, current, directory, here, role, name, certificateExpiresAt,",
        "endpoints[], discoveryUrl, discoveryFingerprint, problem}]}; here is whether the colony",
        "itself lives in this folder; times are ISO 8601 in UTC; what is not known is null.",
        "",
        "Examples:",
        "  coral context list",
        "  coral context list -o json | jq -r '.contexts[] | select(.current) | .colonyId'"
      })
  static final class Listing implements Callable<Integer> {
    @Mixin private ContextOptions options = new ContextOptions();

    @Override
    public Integer call() {
      List<ContextSummary> contexts = summaries(options.root());
      return options.answer(
          Json.object(json -> json.putObjects("contexts", contexts, (each, one) -> one.put(each))),
          screen -> table(contexts, InstantSource.system().instant(), screen));
    }
  }

  /** Every colony under {@code CORAL_HOME}, by id. */
  static List<ContextSummary> summaries(CoralCommand root) {
    CoralHome home = root.home();
    List<ColonyId> colonies = home.colonies();
    Optional<ColonyId> current =
        home.named(root.environment())
            .or(home::current)
            .or(() -> colonies.size() == 1 ? Optional.of(colonies.get(0)) : Optional.empty());
    return colonies.stream()
        .map(id -> ContextSummary.of(home, id, current.equals(Optional.of(id)), root.environment()))
        .toList();
  }

  static String table(List<ContextSummary> contexts, Instant now, Screen screen) {
    if (contexts.isEmpty()) {
      return "No colonies. 'coral init' makes one, 'coral context import' gets to know one.\n";
    }
    Table table =
        new Table("DEFAULT", "COLONY", "AS", "EXPIRES", "WHERE").expendable("WHERE", "EXPIRES");
    for (ContextSummary context : contexts) {
      table.row(
          context.current() ? "*" : " ",
          context.id().value(),
          context.asker().map(asker -> asker.role() + "/" + asker.name()).orElse(""),
          context.asker().map(asker -> expiry(asker.expiresAt(), now)).orElse(""),
          where(context));
    }
    return table.on(screen);
  }

  private static String where(ContextSummary context) {
    if (context.problem().isPresent()) {
      return context.problem().get();
    }
    if (context.own()) {
      return "here";
    }
    return context.endpoints().isEmpty()
        ? context.discovery().map(InvitationText.Discovery::url).orElse("")
        : endpoints(context);
  }

  private static String endpoints(ContextSummary context) {
    return context.endpoints().stream().map(Endpoint::toString).collect(Collectors.joining(", "));
  }

  private static String expiry(Instant at, Instant now) {
    return at.isAfter(now) ? HumanTime.in(at, now) : HumanTime.ago(at, now);
  }

  /** {@code coral context use}. */
  @Command(
      name = "use",
      description = "Make a colony the one that commands are about, in every shell of this user.",
      footer = {
        "JSON: {colonyId}.",
        "",
        "Examples:",
        "  coral context use my-app-production-4f21aa"
      })
  static final class Use implements Callable<Integer> {
    @Mixin private ContextOptions options = new ContextOptions();

    @Parameters(
        paramLabel = "COLONY",
        converter = ColonyOptions.ColonyIdConverter.class,
        description = "Its id.")
    private @Nullable ColonyId colony;

    @Override
    public Integer call() throws IOException {
      ColonyId id = options.existing(Objects.requireNonNull(colony, "demanded by the parser"));
      options.root().home().use(id);
      options
          .root()
          .home()
          .named(options.root().environment())
          .filter(named -> !named.equals(id))
          .ifPresent(
              named ->
                  options
                      .err()
                      .println(
                          CoralHome.COLONY_VARIABLE
                              + " is "
                              + named
                              + " in this shell, and goes before the default: unset it."));
      return options.answer(
          Json.object(json -> json.put("colonyId", id.value())),
          screen -> "Commands are about colony " + id + " now.\n");
    }
  }

  /** {@code coral context show}. */
  @Command(
      name = "show",
      description = "What is known here of one colony; nothing is asked.",
      footer = {
        "JSON: {colonyId, current, directory, here, role, name, certificateExpiresAt, endpoints[],",
        "discoveryUrl, discoveryFingerprint, problem}; as 'coral context list' has them.",
        "",
        "Examples:",
        "  coral context show",
        "  coral context show my-app-production-4f21aa -o json"
      })
  static final class Show implements Callable<Integer> {
    @Mixin private ContextOptions options = new ContextOptions();
    @Mixin private ContextOptions.Subject subject = new ContextOptions.Subject();

    @Override
    public Integer call() {
      ColonyId id = subject.in(options.root());
      ContextSummary context =
          summaries(options.root()).stream()
              .filter(one -> one.id().equals(id))
              .findFirst()
              .orElseThrow();
      return options.answer(
          Json.object(context::put), screen -> text(context, InstantSource.system().instant()));
    }
  }

  static String text(ContextSummary context, Instant now) {
    Fields fields =
        new Fields()
            .add("colony", context.id().value())
            .add("default", context.current() ? "yes" : "no")
            .add("folder", context.folder().toString())
            .add("lives", context.own() ? "here" : "elsewhere")
            .add("endpoints", endpoints(context))
            .add("discovery", context.discovery().map(InvitationText.Discovery::url).orElse(""))
            .add(
                "its fingerprint",
                context
                    .discovery()
                    .flatMap(InvitationText.Discovery::fingerprint)
                    .map(Object::toString)
                    .orElse(""));
    if (context.asker().isEmpty()) {
      fields.add("ask as", "nobody: through a proxy only");
    } else {
      ContextSummary.Asker asker = context.asker().get();
      fields
          .add("ask as", asker.name() + ", " + asker.role())
          .add("until", asker.expiresAt() + " (" + expiry(asker.expiresAt(), now) + ")");
    }
    context.problem().ifPresent(problem -> fields.add("problem", problem));
    return fields.toString();
  }
}
