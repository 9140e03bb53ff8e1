package coral.agent;

import coral.certificate.Identity;
import coral.certificate.PreviousKeyProof;
import coral.model.Endpoint;
import coral.model.Secret;
import coral.model.WireGuardKey;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The colony as an agent sees it. Every connection is TLS to a colony that shows one of the
 * authorities which the agent trusts. All but {@link #openSession} block.
 */
interface ColonyClient {
  /**
   * A certificate that is wanted.
   *
   * @param proof that the agent held the id before, with another key
   */
  record Order(CertificateRequest request, Payment payment, Optional<PreviousKeyProof> proof) {}

  /**
   * What the colony answered, not yet believed.
   *
   * @param chain PEM: the certificate, then what signed it
   * @param roots PEM: the trust bundle
   * @param crossRoots PEM: its cross-certificates; may be empty
   * @param bundleVersion 0 if the colony does not say
   * @param notice what to do instead next time; empty if all is well
   */
  record IssuedCertificate(
      String chain, String roots, String crossRoots, long bundleVersion, String notice) {}

  /**
   * Buys a certificate, or renews one.
   *
   * @param endpoints tried in order until one is reached
   * @throws JoinException COLONY_UNREACHABLE, WRONG_PIN, AGENT_ID_TAKEN, IDENTITY_SUSPENDED, {@link
   *     Payment#refused} or any refusal
   */
  IssuedCertificate requestCertificate(List<Endpoint> endpoints, ColonyTrust trust, Order order)
      throws JoinException;

  /**
   * Makes an invitation for this agent, in the role of a proxy and for minutes.
   *
   * @param inviter an operator or administrator
   * @throws JoinException COLONY_UNREACHABLE, WRONG_PIN or any refusal
   */
  Secret invite(List<Endpoint> endpoints, ColonyTrust trust, Identity inviter) throws JoinException;

  /**
   * Opens a connection with the agent's certificate and keeps it for what follows.
   *
   * @return the first endpoint that is reached and shows a trusted authority
   * @throws JoinException COLONY_UNREACHABLE, WRONG_PIN or CERTIFICATE_REFUSED
   */
  Endpoint reach(List<Endpoint> endpoints, ColonyTrust trust, Identity identity)
      throws JoinException;

  /**
   * Asks for the agent's addresses.
   *
   * @param requestId the same for every try of one join
   * @throws JoinException COLONY_UNREACHABLE, WRONG_PIN, CERTIFICATE_REFUSED, POOL_EXHAUSTED,
   *     WIREGUARD_KEY_TAKEN, CONNECTED_ELSEWHERE, COLONY_NOT_READY or REFUSED
   */
  Membership register(
      Endpoint endpoint, ColonyTrust trust, Identity identity, WireGuardKey key, String requestId)
      throws JoinException;

  /**
   * Gives the agent's addresses back; whatever session it has ends.
   *
   * @throws JoinException as {@link #register}
   */
  void deregister(Endpoint endpoint, ColonyTrust trust, Identity identity) throws JoinException;

  /**
   * Opens the session's stream. Returns at once; what goes wrong is a {@link SessionMessage.Ended}.
   *
   * @param listener called from threads of the connection, one message at a time, in order
   */
  SessionStream openSession(
      Endpoint endpoint, ColonyTrust trust, Identity identity, Consumer<SessionMessage> listener);
}
