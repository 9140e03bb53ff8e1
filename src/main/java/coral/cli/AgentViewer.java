package coral.cli;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Shows what a feed tells, until it is closed or nobody reads any more. */
abstract class AgentViewer {
  /** Ages grow by the second; whoever has closed the feed is noticed by then. */
  private static final Duration TICK = Duration.ofSeconds(1);

  private final AgentPicture picture = new AgentPicture();

  /**
   * Shows one item after the other.
   *
   * @return {@link CommandLine#DONE}
   * @throws CommandFailedException if the colony refuses for good
   */
  final int follow(AgentFeed feed) {
    try {
      while (!feed.isClosed() && isRead()) {
        Optional<AgentFeed.Item> next = feed.next(TICK);
        if (next.isEmpty()) {
          passed();
        } else if (next.get() instanceof AgentFeed.Told told) {
          if (told.first()) {
            picture.begin();
          }
          changed(picture.apply(told.message()));
        } else if (next.get() instanceof AgentFeed.Away away) {
          away(away.reason());
        } else if (next.get() instanceof AgentFeed.Refused refused) {
          throw refused.reason();
        }
      }
      return CommandLine.DONE;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return CommandLine.FAILED;
    } finally {
      ended();
    }
  }

  final AgentPicture picture() {
    return picture;
  }

  /** Whether anybody sees it. */
  abstract boolean isRead();

  abstract void changed(List<AgentPicture.Change> changes);

  abstract void away(CommandFailedException reason);

  /** Nothing came for a second. */
  void passed() {}

  /** Nothing will come any more. */
  void ended() {}
}
