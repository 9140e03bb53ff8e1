package coral.agent;

import coral.model.Endpoint;

/**
 * What an attempt brought; the session can be opened with it.
 *
 * @param endpoint of the colony's gRPC port, where it was reached
 */
record JoinResult(
    JoinAttempt attempt,
    Credentials credentials,
    Endpoint endpoint,
    Membership membership,
    ProbeResult probe) {

  JoinResult withMembership(Membership changed) {
    return new JoinResult(attempt, credentials, endpoint, changed, probe);
  }
}
