package coral.cli.quickstart;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Whether what the agents told makes a mesh that works. */
final class Verification {
  private Verification() {}

  /** What is wrong, for people; empty if nothing is. */
  static List<String> problems(int expectedAgents, List<AgentReport> agents) {
    List<String> problems = new ArrayList<>();
    if (agents.size() != expectedAgents) {
      problems.add(agents.size() + " of " + expectedAgents + " agents joined");
    }
    Set<String> addresses = new HashSet<>();
    Set<String> serials = new HashSet<>();
    for (AgentReport agent : agents) {
      if (!addresses.add(agent.ipv4()) || !addresses.add(agent.ipv6())) {
        problems.add("the address of " + agent.agentId() + " was given twice: " + agent.ipv4());
      }
      if (!serials.add(agent.certificateSerial())) {
        problems.add("the certificate of " + agent.agentId() + " has a serial number twice");
      }
      if (agent.roundTripIpv4().isEmpty()) {
        problems.add(agent.agentId() + " got no answer through the tunnel over IPv4");
      }
      if (agent.roundTripIpv6().isEmpty()) {
        problems.add(agent.agentId() + " got no answer through the tunnel over IPv6");
      }
    }
    return problems;
  }
}
