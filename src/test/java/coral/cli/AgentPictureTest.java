package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Timestamp;
import coral.api.colony.v1.Agent;
import coral.api.colony.v1.WatchAgentsResponse;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

class AgentPictureTest {
  private final AgentPicture picture = new AgentPicture();

  private static Agent.Builder agent(String id) {
    return Agent.newBuilder()
        .setAgentId(id)
        .setStatus("healthy")
        .setConnected(true)
        .setMeshIpv4("10.42.0.2");
  }

  private static WatchAgentsResponse.Builder told(Agent.Builder... agents) {
    WatchAgentsResponse.Builder told = WatchAgentsResponse.newBuilder();
    List.of(agents).forEach(told::addAgents);
    return told;
  }

  private List<String> apply(WatchAgentsResponse.Builder told) {
    return picture.apply(told.build()).stream()
        .map(change -> change.agent().getAgentId() + " " + AgentLines.words(change))
        .toList();
  }

  @Test
  void whatWasThereWhatCameWhatChangedAndWhatLeftAreToldApart() {
    picture.begin();
    assertEquals(List.of("web-1 healthy, connected, 10.42.0.2"), apply(told(agent("web-1"))));
    assertFalse(picture.isComplete());
    assertEquals(
        List.of("db-1 healthy, connected, 10.42.0.2"),
        apply(told(agent("db-1")).setComplete(true)));
    assertTrue(picture.isComplete());
    assertEquals(
        List.of("web-2 joined: healthy, connected, 10.42.0.2"),
        apply(told(agent("web-2")).setComplete(true)));
    assertEquals(
        List.of("web-2 disconnected"),
        apply(told(agent("web-2").setConnected(false)).setComplete(true)));
    assertEquals(
        List.of("web-2 connected, degraded, certificate 0a"),
        apply(told(agent("web-2").setStatus("degraded").setCertificateSerial("0a"))));
    assertEquals(
        List.of("web-2 left, 10.42.0.2 is free"),
        apply(told().addRemovedAgentIds("web-2").addRemovedAgentIds("never-there")));
    assertEquals(
        List.of("db-1", "web-1"), picture.agents().stream().map(Agent::getAgentId).toList());
  }

  @Test
  void aLifeSignIsNoNewsForPeople() {
    apply(told(agent("web-1")).setComplete(true));
    assertEquals(
        List.of("web-1 "),
        apply(told(agent("web-1").setLastSeen(Timestamp.newBuilder().setSeconds(7)))));
    assertEquals(
        List.of(), apply(told(agent("web-1").setLastSeen(Timestamp.newBuilder().setSeconds(7)))));
  }

  @Test
  void whatANewStreamDoesNotNameHasLeftMeanwhile() {
    apply(told(agent("web-1"), agent("web-2")).setComplete(true));
    picture.begin();
    assertEquals(List.of(), apply(told(agent("web-2"))));
    assertEquals(List.of("web-1 left, 10.42.0.2 is free"), apply(told().setComplete(true)));
    assertEquals(List.of(), apply(told().setComplete(true)));
  }

  @Test
  void aScreenShowsWhatFitsAndGivesTheTerminalBack() {
    StringWriter terminal = new StringWriter();
    try (LiveScreen screen = new LiveScreen(new PrintWriter(terminal))) {
      screen.show("one\ntwo\n", 3);
      assertTrue(
          terminal.toString().endsWith("\u001b[Hone\u001b[K\r\ntwo\u001b[K\r\n\u001b[J"),
          terminal::toString);
      screen.show("one\ntwo\nthree\nfour\n", 3);
      assertTrue(
          terminal.toString().endsWith("two\u001b[K\r\n… and 2 more\u001b[K\u001b[J"),
          terminal::toString);
      screen.close();
    }
    String all = terminal.toString();
    assertTrue(all.startsWith("\u001b[?1049h\u001b[?25l"));
    assertTrue(all.endsWith("\u001b[?25h\u001b[?1049l"));
    assertEquals(all.indexOf("\u001b[?1049l"), all.lastIndexOf("\u001b[?1049l"));
  }

  @Test
  void aTerminalSaysHowLargeItIsOrIsTakenForAUsualOne() {
    assertEquals(new TerminalSize(50, 132), TerminalSize.parse("50 132"));
    for (String strange : List.of("", "0 0", "24", "24 80 1", "-1 80", "x y", "24 80\n7")) {
      assertEquals(TerminalSize.USUAL, TerminalSize.parse(strange));
    }
    assertEquals(new TerminalSize(2, 20), TerminalSize.parse("1 1"));
  }
}
