package coral.agent;

/**
 * One attempt at joining.
 *
 * @param requestId the same for every attempt of one join
 * @param silences how often the tunnel stayed silent so far: each time another endpoint of the
 *     colony is tried
 * @param buyCertificate a new certificate is bought even if there is one
 * @param isMember whether the host has been a member since the agent started
 */
record JoinAttempt(String requestId, int silences, boolean buyCertificate, boolean isMember) {}
