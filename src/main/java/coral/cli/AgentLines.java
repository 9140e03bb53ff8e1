package coral.cli;

import coral.api.colony.v1.Agent;
import java.io.PrintWriter;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A line, or an object, for each change of an agent. */
final class AgentLines extends AgentViewer {
  private final OutputFormat format;
  private final PrintWriter out;
  private final PrintWriter err;
  private final InstantSource clock;

  AgentLines(OutputFormat format, PrintWriter out, PrintWriter err, InstantSource clock) {
    this.format = format;
    this.out = out;
    this.err = err;
    this.clock = clock;
  }

  @Override
  boolean isRead() {
    return !out.checkError();
  }

  @Override
  void changed(List<AgentPicture.Change> changes) {
    for (AgentPicture.Change change : changes) {
      if (format.isStructured()) {
        out.print(format.event(json(change)));
      } else {
        String words = words(change);
        if (!words.isEmpty()) {
          out.println(
              clock.instant().truncatedTo(ChronoUnit.SECONDS)
                  + "  "
                  + Table.printable(change.agent().getAgentId() + "  " + words));
        }
      }
    }
    out.flush();
  }

  @Override
  void away(CommandFailedException reason) {
    err.println("coral: " + reason.getMessage() + "; trying again");
    err.flush();
  }

  private String json(AgentPicture.Change change) {
    return Json.object(
        json ->
            json.put("time", clock.instant())
                .put("event", change.kind().name().toLowerCase(Locale.ROOT))
                .putObject("agent", fields -> AgentsCommand.put(fields, change.agent())));
  }

  /** What people want to know of it; nothing of an agent that was only heard again. */
  static String words(AgentPicture.Change change) {
    Agent agent = change.agent();
    return switch (change.kind()) {
      case PRESENT -> described(agent);
      case JOINED -> "joined: " + described(agent);
      case LEFT -> "left, " + agent.getMeshIpv4() + " is free";
      case CHANGED -> change.before().map(before -> difference(before, agent)).orElse("");
    };
  }

  private static String described(Agent agent) {
    return agent.getStatus()
        + ", "
        + (agent.getConnected() ? "connected" : "not connected")
        + ", "
        + agent.getMeshIpv4();
  }

  private static String difference(Agent before, Agent now) {
    List<String> words = new ArrayList<>();
    if (before.getConnected() != now.getConnected()) {
      words.add(now.getConnected() ? "connected" : "disconnected");
    }
    if (!before.getStatus().equals(now.getStatus())) {
      words.add(now.getStatus());
    }
    if (!before.getMeshIpv4().equals(now.getMeshIpv4())) {
      words.add("now " + now.getMeshIpv4());
    }
    if (!before.getCertificateSerial().equals(now.getCertificateSerial())) {
      words.add("certificate " + now.getCertificateSerial());
    }
    boolean answered = hasRoundTrip(now);
    if (hasRoundTrip(before) != answered) {
      words.add(answered ? "answers through its tunnel" : "does not answer through its tunnel");
    }
    return String.join(", ", words);
  }

  private static boolean hasRoundTrip(Agent agent) {
    return agent.hasRoundTripIpv4() || agent.hasRoundTripIpv6();
  }
}
