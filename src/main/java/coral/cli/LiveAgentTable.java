package coral.cli;

import coral.api.colony.v1.Agent;
import coral.model.ColonyId;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** A table of all agents that is drawn anew in its place; the last one stays when it ends. */
final class LiveAgentTable extends AgentViewer {
  /** Who makes a window larger wants to see more soon. */
  private static final Duration MEASURE = Duration.ofSeconds(2);

  private final ColonyId colony;
  private final PrintWriter out;
  private final boolean colors;
  private final Supplier<TerminalSize> measure;
  private final InstantSource clock;
  private final LiveScreen live;
  private Optional<CommandFailedException> absence = Optional.empty();
  private TerminalSize size;
  private Instant measuredAt;

  LiveAgentTable(
      ColonyId colony,
      PrintWriter out,
      Screen screen,
      Supplier<TerminalSize> measure,
      InstantSource clock) {
    this.colony = colony;
    this.out = out;
    this.colors = screen.hasColors();
    this.measure = measure;
    this.clock = clock;
    this.size = measure.get();
    this.measuredAt = clock.instant();
    this.live = new LiveScreen(out);
  }

  @Override
  boolean isRead() {
    return !out.checkError();
  }

  @Override
  void changed(List<AgentPicture.Change> changes) {
    absence = Optional.empty();
    draw();
  }

  @Override
  void away(CommandFailedException reason) {
    absence = Optional.of(reason);
    draw();
  }

  @Override
  void passed() {
    draw();
  }

  @Override
  void ended() {
    live.close();
    out.print(text());
    out.flush();
  }

  private void draw() {
    Instant now = clock.instant();
    if (Duration.between(measuredAt, now).compareTo(MEASURE) >= 0) {
      size = measure.get();
      measuredAt = now;
    }
    live.show(text(), size.rows());
  }

  private String text() {
    List<Agent> agents = new ArrayList<>(picture().agents());
    long connected = agents.stream().filter(Agent::getConnected).count();
    Screen screen = Screen.of(size.columns(), colors);
    String heading =
        absence
            .map(
                reason ->
                    "away, trying again: " + Table.printable(String.valueOf(reason.getMessage())))
            .orElse(
                agents.size()
                    + (agents.size() == 1 ? " agent, " : " agents, ")
                    + connected
                    + " connected"
                    + (picture().isComplete() ? "" : ", reading"));
    String line = colony + ": " + heading;
    return screen.paint(Paint.HEADING, line.substring(0, Math.min(line.length(), size.columns())))
        + "\n"
        + AgentsCommand.table(agents, false, clock.instant(), screen);
  }
}
