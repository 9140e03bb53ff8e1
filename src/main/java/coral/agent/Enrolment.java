package coral.agent;

import coral.agent.JoinFailure.Kind;
import coral.certificate.Identity;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How the agent comes by its {@link Credentials}: those it keeps, or a certificate bought with the
 * colony secret. Blocks; called from one thread at a time.
 */
final class Enrolment {
  private static final Logger LOG = LoggerFactory.getLogger(Enrolment.class);

  private final AgentSettings settings;
  private final AgentFiles files;
  private final ColonyClient colony;
  private final InstantSource clock;

  Enrolment(AgentSettings settings, AgentFiles files, ColonyClient colony, InstantSource clock) {
    this.settings = settings;
    this.files = files;
    this.colony = colony;
    this.clock = clock;
  }

  /**
   * What to show the colony and what to believe of it.
   *
   * @param endpoints where a certificate can be bought, best first
   * @param buy a new certificate, even if there is one
   * @throws JoinException CREDENTIALS_MISSING or CERTIFICATE_EXPIRED, where people must help, or
   *     why no certificate could be bought
   */
  Credentials credentials(List<Endpoint> endpoints, boolean buy) throws JoinException, IOException {
    Fingerprint pin = pin();
    Optional<Identity> kept = files.identity();
    Identity identity = kept.isPresent() && !buy ? current(kept.get()) : bought(endpoints, pin);
    return new Credentials(pin, identity);
  }

  /**
   * What is remembered of the colony; empty before the first join.
   *
   * @throws JoinException REFUSED if the agent belongs to another colony than the settings say
   */
  Optional<KnownColony> known() throws JoinException, IOException {
    Optional<KnownColony> known = files.colony();
    if (known.isPresent() && !known.get().colonyId().equals(settings.colonyId())) {
      throw new JoinException(
          Kind.REFUSED,
          "agent "
              + settings.agentId()
              + " on this host belongs to colony "
              + known.get().colonyId()
              + "; choose another --agent-id, or remove "
              + files.directory()
              + " to leave that colony for good");
    }
    return known;
  }

  /** Remembers the colony for the next start. */
  void remember(KnownColony colony) throws IOException {
    files.remember(colony);
  }

  private Fingerprint pin() throws JoinException, IOException {
    Optional<Fingerprint> remembered = known().map(KnownColony::pin);
    Optional<Fingerprint> given = settings.caFingerprint();
    if (given.isPresent() && remembered.isPresent() && !given.equals(remembered)) {
      LOG.warn("The fingerprint given, {}, replaces {}", given.get(), remembered.get());
    }
    return given
        .or(() -> remembered)
        .orElseThrow(
            () ->
                new JoinException(
                    Kind.CREDENTIALS_MISSING,
                    "the colony's CA fingerprint is not known; give it (--ca-fingerprint), as"
                        + " coral init printed it"));
  }

  private Identity current(Identity kept) throws JoinException {
    Instant end = kept.certificate().getNotAfter().toInstant();
    if (clock.instant().isBefore(end)) {
      return kept;
    }
    throw new JoinException(
        Kind.CERTIFICATE_EXPIRED,
        "the agent's certificate expired at "
            + end
            + "; give the colony secret once (--colony-secret-file) to buy a new one");
  }

  private Identity bought(List<Endpoint> endpoints, Fingerprint pin)
      throws JoinException, IOException {
    if (settings.colonySecret().isEmpty()) {
      throw new JoinException(
          Kind.CREDENTIALS_MISSING,
          "the agent has no certificate in "
              + files.directory()
              + " and no colony secret to buy one with; give the secret (--colony-secret-file)");
    }
    AgentFiles.Request request = files.certificateRequest();
    ColonyClient.IssuedCertificate issued =
        colony.requestCertificate(
            endpoints, pin, settings.colonySecret().get(), settings.agentId(), request.pem());
    AgentCertificate bought = AgentCertificate.verified(issued, request.key(), pin);
    files.keep(bought.identity(), bought.authority());
    X509Certificate certificate = bought.identity().certificate();
    LOG.info(
        "Bought certificate {}, good until {}",
        certificate.getSerialNumber().toString(16),
        certificate.getNotAfter().toInstant());
    return bought.identity();
  }
}
