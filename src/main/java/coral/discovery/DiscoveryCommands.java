package coral.discovery;

import coral.model.ColonyId;
import coral.rpc.FailureStatus;
import coral.token.PublishedKey;
import coral.token.TokenIssuer;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What discovery does for whoever owns its folder, over the {@link ControlSocket}. */
final class DiscoveryCommands implements UnaryOperator<String> {
  private final RegistrationTokens tokens;
  private final DirectoryQueries directory;

  DiscoveryCommands(RegistrationTokens tokens, DirectoryQueries directory) {
    this.tokens = tokens;
    this.directory = directory;
  }

  @Override
  public String apply(String command) {
    return switch (command) {
      case ControlSocket.KEYS -> keys(tokens.keys());
      case ControlSocket.ROTATE_KEYS -> keys(tokens.rotateKeys());
      case ControlSocket.COLONIES ->
          lines(directory.all().thenApply(List::stream), DiscoveryCommands::line);
      default ->
          command.startsWith(ControlSocket.FORGET_COLONY + " ")
              ? forget(command.substring(ControlSocket.FORGET_COLONY.length() + 1))
              : error("no such command");
    };
  }

  private String forget(String meshId) {
    ColonyId id;
    try {
      id = new ColonyId(meshId);
    } catch (IllegalArgumentException e) {
      return error(String.valueOf(e.getMessage()));
    }
    return lines(directory.forget(id).thenApply(Stream::of), forgotten -> "forgotten " + id + "\n");
  }

  private static String keys(CompletionStage<TokenIssuer.Published> asked) {
    return lines(asked.thenApply(p -> p.keys().stream()), DiscoveryCommands::line);
  }

  private static <T> String lines(CompletionStage<Stream<T>> asked, Function<T, String> line) {
    try {
      return asked.toCompletableFuture().join().map(line).collect(Collectors.joining());
    } catch (CompletionException e) {
      return error(String.valueOf(FailureStatus.unwrap(e).getMessage()));
    }
  }

  private static String error(String message) {
    return ControlSocket.ERROR + message + "\n";
  }

  private static String line(ColonyEntry entry) {
    return entry.announcement().meshId()
        + " "
        + entry.owner().map(owner -> owner.key().toString()).orElse("-")
        + " "
        + entry.lastSeen()
        + "\n";
  }

  private static String line(PublishedKey key) {
    return key.key().id() + " " + key.state() + " " + key.createdAt() + "\n";
  }
}
