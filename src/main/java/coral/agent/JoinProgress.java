package coral.agent;

import coral.certificate.Identity;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import java.util.List;
import java.util.Optional;

/**
 * How far a join has come.
 *
 * @param requestId the same for every attempt of one join
 * @param silences how often the tunnel stayed silent in this join: each time another endpoint of
 *     the colony is tried
 * @param buyCertificate a new certificate is bought even if there is one
 * @param endpoints of the colony's gRPC port, best first
 */
record JoinProgress(
    String requestId,
    int silences,
    boolean buyCertificate,
    List<Endpoint> endpoints,
    Optional<Credentials> credentials,
    Optional<Endpoint> reached,
    Optional<Membership> membership,
    Optional<ProbeResult> probe) {

  /**
   * What the agent shows and what it believes.
   *
   * @param pin the colony's certificate authority
   */
  record Credentials(Fingerprint pin, Identity identity) {}

  static JoinProgress start(String requestId, int silences, boolean buyCertificate) {
    return new JoinProgress(
        requestId,
        silences,
        buyCertificate,
        List.of(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  JoinProgress withEndpoints(List<Endpoint> found) {
    return new JoinProgress(
        requestId,
        silences,
        buyCertificate,
        List.copyOf(found),
        credentials,
        reached,
        membership,
        probe);
  }

  JoinProgress withCredentials(Credentials held) {
    return new JoinProgress(
        requestId, silences, false, endpoints, Optional.of(held), reached, membership, probe);
  }

  JoinProgress withReached(Endpoint endpoint) {
    return new JoinProgress(
        requestId,
        silences,
        buyCertificate,
        endpoints,
        credentials,
        Optional.of(endpoint),
        membership,
        probe);
  }

  JoinProgress withMembership(Membership given) {
    return new JoinProgress(
        requestId,
        silences,
        buyCertificate,
        endpoints,
        credentials,
        reached,
        Optional.of(given),
        probe);
  }

  JoinProgress withProbe(ProbeResult result) {
    return new JoinProgress(
        requestId,
        silences,
        buyCertificate,
        endpoints,
        credentials,
        reached,
        membership,
        Optional.of(result));
  }
}
