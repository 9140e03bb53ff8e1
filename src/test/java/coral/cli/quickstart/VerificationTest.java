package coral.cli.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** {@code quickstart --once} must be able to fail. */
class VerificationTest {
  private static final Optional<Duration> ANSWERED = Optional.of(Duration.ofMillis(1));

  private static AgentReport agent(
      int number, String serial, Optional<Duration> ipv4, Optional<Duration> ipv6) {
    return new AgentReport(
        "agent-" + number,
        "10.42.0." + number,
        "fd42::" + number,
        serial,
        ANSWERED,
        Optional.of(Instant.EPOCH),
        ipv4,
        ipv6);
  }

  @Test
  void agentsThatAllAnswerAreAMesh() {
    assertEquals(
        List.of(),
        Verification.problems(
            2, List.of(agent(2, "a", ANSWERED, ANSWERED), agent(3, "b", ANSWERED, ANSWERED))));
  }

  @Test
  void aMissingAgentIsAProblem() {
    assertEquals(
        List.of("1 of 2 agents joined"),
        Verification.problems(2, List.of(agent(2, "a", ANSWERED, ANSWERED))));
  }

  @Test
  void anUnansweredFamilyIsAProblem() {
    List<String> problems =
        Verification.problems(1, List.of(agent(2, "a", ANSWERED, Optional.empty())));
    assertEquals(List.of("agent-2 got no answer through the tunnel over IPv6"), problems);
  }

  @Test
  void anAddressOrSerialGivenTwiceIsAProblem() {
    List<String> problems =
        Verification.problems(
            2, List.of(agent(2, "a", ANSWERED, ANSWERED), agent(2, "a", ANSWERED, ANSWERED)));
    assertEquals(2, problems.size(), problems::toString);
    assertTrue(problems.get(0).contains("10.42.0.2"), problems::toString);
  }
}
