package coral.discovery;

import coral.model.ColonyId;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.japi.function.Function;

/** Questions to the {@link Directory} from outside of actors; a refusal fails the answer. */
final class DirectoryQueries {
  /** A registration waits for an Argon2id and a write, behind those of others. */
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final ActorSystem<?> system;
  private final ActorRef<Directory.Command> directory;

  DirectoryQueries(ActorSystem<?> system, ActorRef<Directory.Command> directory) {
    this.system = system;
    this.directory = directory;
  }

  /** Asks and expects one kind of answer. */
  <T extends Directory.Reply> CompletionStage<T> ask(
      Class<T> expected, Function<ActorRef<Directory.Reply>, Directory.Command> command) {
    return AskPattern.ask(directory, command, TIMEOUT, system.scheduler())
        .thenApply(
            reply -> {
              if (reply instanceof Directory.Refusal refusal) {
                throw refusal.toException();
              }
              return expected.cast(reply);
            });
  }

  /** What is held of a mesh id that somebody owns. */
  CompletionStage<Optional<ColonyEntry>> owned(ColonyId meshId) {
    return ask(Directory.Owned.class, replyTo -> new Directory.FindOwned(meshId, replyTo))
        .thenApply(Directory.Owned::entry);
  }

  /** Everything that is held, in the order of the mesh ids. */
  CompletionStage<List<ColonyEntry>> all() {
    return ask(Directory.Listed.class, Directory.FindAll::new).thenApply(Directory.Listed::entries);
  }

  /** Frees a mesh id; fails with NOT_FOUND if nobody owns it. */
  CompletionStage<Directory.Forgotten> forget(ColonyId meshId) {
    return ask(Directory.Forgotten.class, replyTo -> new Directory.Forget(meshId, replyTo));
  }

  /** Replaces the secret of which {@code proven} is the hash; answers with what holds then. */
  CompletionStage<ColonySecrets> rotate(
      ColonyId meshId, String proven, String next, Duration grace, Optional<OwnerClaim> claim) {
    return ask(
            Directory.Rotated.class,
            replyTo -> new Directory.Rotate(meshId, proven, next, grace, claim, replyTo))
        .thenApply(Directory.Rotated::secrets);
  }
}
