package coral.certificate;

import coral.model.AgentId;
import coral.model.Failure;
import coral.model.Refused;

/** Why a request for a certificate is refused, with what to do instead. */
final class Refusals {
  private Refusals() {}

  static Refused full(int maxAgents) {
    return new Refused(
        Failure.LIMIT_REACHED,
        "the colony has certificates for "
            + maxAgents
            + " agents, its limit; raise it in the colony's configuration");
  }

  static Refused contested(AgentId agentId) {
    return new Refused(
        Failure.AGENT_ID_TAKEN,
        "the agent id '"
            + agentId
            + "' is bound to another key; use that key, choose another id, or have somebody run"
            + " `coral agent allow-rebind "
            + agentId
            + "`");
  }

  /** Does not say whose the key is. */
  static Refused keyOfAnother(AgentId agentId) {
    return new Refused(
        Failure.AGENT_ID_TAKEN,
        "the key of '"
            + agentId
            + "' is already bound to another agent id; make a key of its own for each agent");
  }

  static Refused replacedTooOften(AgentId agentId, int replaced) {
    return new Refused(
        Failure.LIMIT_REACHED,
        "'"
            + agentId
            + "' has replaced "
            + replaced
            + " certificates before their time was up; wait until one of them ends, or have"
            + " somebody run `coral agent allow-rebind "
            + agentId
            + "`");
  }

  static Refused unregistered(AgentId agentId) {
    return new Refused(
        Failure.FAILED_PRECONDITION,
        "'" + agentId + "' was claimed anew: register before its certificate is renewed");
  }
}
