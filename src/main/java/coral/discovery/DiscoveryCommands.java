package coral.discovery;

import coral.rpc.FailureStatus;
import coral.token.PublishedKey;
import coral.token.TokenIssuer;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** What discovery does for whoever owns its folder, over the {@link ControlSocket}. */
final class DiscoveryCommands implements UnaryOperator<String> {
  private final RegistrationTokens tokens;

  DiscoveryCommands(RegistrationTokens tokens) {
    this.tokens = tokens;
  }

  @Override
  public String apply(String command) {
    return switch (command) {
      case ControlSocket.KEYS -> answer(tokens.keys());
      case ControlSocket.ROTATE_KEYS -> answer(tokens.rotateKeys());
      default -> ControlSocket.ERROR + "no such command\n";
    };
  }

  private static String answer(CompletionStage<TokenIssuer.Published> asked) {
    try {
      return asked.toCompletableFuture().join().keys().stream()
          .map(DiscoveryCommands::line)
          .collect(Collectors.joining());
    } catch (CompletionException e) {
      return ControlSocket.ERROR + FailureStatus.unwrap(e).getMessage() + "\n";
    }
  }

  private static String line(PublishedKey key) {
    return key.key().id() + " " + key.state() + " " + key.createdAt() + "\n";
  }
}
