package coral.agent;

import coral.certificate.Identity;
import coral.model.AgentId;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import coral.model.Secret;
import coral.model.WireGuardKey;
import java.util.List;
import java.util.function.Consumer;

/**
 * The colony as an agent sees it. Every connection is TLS to the certificate authority that the
 * agent pins. All but {@link #openSession} block.
 */
interface ColonyClient {
  /** A certificate and the authority that issued it, both in PEM, not yet believed. */
  record IssuedCertificate(String certificate, String authority) {}

  /**
   * Buys a certificate.
   *
   * @param endpoints tried in order until one is reached
   * @throws JoinException COLONY_UNREACHABLE, WRONG_PIN, WRONG_SECRET, AGENT_ID_TAKEN or any
   *     refusal
   */
  IssuedCertificate requestCertificate(
      List<Endpoint> endpoints, Fingerprint pin, Secret secret, AgentId agentId, String request)
      throws JoinException;

  /**
   * Opens a connection with the agent's certificate and keeps it for what follows.
   *
   * @return the first endpoint that is reached and shows the pinned authority
   * @throws JoinException COLONY_UNREACHABLE, WRONG_PIN or CERTIFICATE_REFUSED
   */
  Endpoint reach(List<Endpoint> endpoints, Fingerprint pin, Identity identity) throws JoinException;

  /**
   * Asks for the agent's addresses.
   *
   * @param requestId the same for every try of one join
   * @throws JoinException COLONY_UNREACHABLE, WRONG_PIN, CERTIFICATE_REFUSED, POOL_EXHAUSTED,
   *     WIREGUARD_KEY_TAKEN, COLONY_NOT_READY or REFUSED
   */
  Membership register(
      Endpoint endpoint, Fingerprint pin, Identity identity, WireGuardKey key, String requestId)
      throws JoinException;

  /**
   * Opens the session's stream. Returns at once; what goes wrong is a {@link SessionMessage.Ended}.
   *
   * @param listener called from threads of the connection, one message at a time, in order
   */
  SessionStream openSession(
      Endpoint endpoint, Fingerprint pin, Identity identity, Consumer<SessionMessage> listener);
}
