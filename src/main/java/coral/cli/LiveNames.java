package coral.cli;

import coral.api.colony.v1.Agent;
import coral.api.colony.v1.Invitation;
import coral.api.colony.v1.ListInvitationsRequest;
import coral.api.colony.v1.ListInvitationsResponse;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Names that only a colony, or this user's folders, know at the moment. Whoever presses a key waits
 * for them for a moment and no longer, and hears nothing of a failure.
 */
abstract class LiveNames implements Iterable<String> {
  private static final Duration BOUND = Duration.ofSeconds(3);

  /** For help and static scripts: nobody is asked. */
  @Override
  public final Iterator<String> iterator() {
    return Collections.emptyIterator();
  }

  /**
   * The names.
   *
   * @param options what stands on the command line, by the longest names of the options
   */
  abstract List<String> find(CoralCommand root, Map<String, String> options);

  /** What names such a value has. */
  static LiveNames of(Class<?> type, String label) {
    if (type == ColonyId.class || label.equals("COLONY") || label.equals("COLONY-ID")) {
      return new Colonies();
    }
    return type == AgentId.class ? new Agents() : new None();
  }

  /** Of values that nobody can know. */
  private static final class None extends LiveNames {
    @Override
    List<String> find(CoralCommand root, Map<String, String> options) {
      return List.of();
    }
  }

  /** The colonies of this user. */
  private static final class Colonies extends LiveNames {
    @Override
    List<String> find(CoralCommand root, Map<String, String> options) {
      try {
        return root.home().colonies().stream().map(ColonyId::value).toList();
      } catch (CommandFailedException e) {
        return List.of();
      }
    }
  }

  /** What a colony has to be asked for. */
  private abstract static class Asked extends LiveNames {
    abstract List<String> ask(ColonyClient colony);

    @Override
    final List<String> find(CoralCommand root, Map<String, String> options) {
      CompletableFuture<List<String>> names = new CompletableFuture<>();
      Thread asking =
          new Thread(
              () -> {
                try {
                  names.complete(ask(client(root, options)));
                } catch (RuntimeException e) {
                  names.complete(List.of()); // no names: the command itself will say why
                }
              },
              "names");
      asking.setDaemon(true);
      asking.start();
      try {
        return names.get(BOUND.toMillis(), TimeUnit.MILLISECONDS);
      } catch (TimeoutException | ExecutionException e) {
        return List.of();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return List.of();
      }
    }

    private static ColonyClient client(CoralCommand root, Map<String, String> options) {
      ColonyContext colony =
          ColonyContext.choose(
              root,
              Optional.ofNullable(options.get("--colony")).map(ColonyId::new),
              Optional.ofNullable(options.get("--dir")).map(Path::of));
      Routes.Wish wish =
          new Routes.Wish(
              Optional.ofNullable(options.get("--via"))
                  .map(via -> Via.valueOf(via.toUpperCase(Locale.ROOT))),
              Optional.ofNullable(options.get("--endpoint")).map(Endpoint::parse));
      RouteLog log = RouteLog.silent();
      return ColonyClient.of(colony, new Routes(colony, root.home(), wish, BOUND, log), BOUND, log);
    }
  }

  /** The agents of the colony. */
  private static final class Agents extends Asked {
    @Override
    List<String> ask(ColonyClient colony) {
      return colony.agents().stream().map(Agent::getAgentId).toList();
    }
  }

  /** The invitations that can be used still. */
  static final class Invitations extends Asked {
    @Override
    List<String> ask(ColonyClient colony) {
      return colony
          .ask(
              Services.INVITATIONS + "ListInvitations",
              ListInvitationsRequest.getDefaultInstance(),
              ListInvitationsResponse.parser())
          .getInvitationsList()
          .stream()
          .filter(invitation -> invitation.getStatus().equals("open"))
          .map(Invitation::getInvitationId)
          .toList();
    }
  }
}
