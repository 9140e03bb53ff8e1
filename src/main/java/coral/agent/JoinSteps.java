package coral.agent;

import coral.agent.JoinFailure.Kind;
import coral.agent.JoinProgress.Credentials;
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
 * The steps themselves, each on top of what the ones before brought. Every step may be done again:
 * that is how a join recovers. They block, and are called one at a time.
 */
final class JoinSteps {
  private static final Logger LOG = LoggerFactory.getLogger(JoinSteps.class);

  private final AgentSettings settings;
  private final AgentFiles files;
  private final ColonyDirectory directory;
  private final ColonyClient colony;
  private final Tunnel tunnel;
  private final InstantSource clock;

  JoinSteps(
      AgentSettings settings,
      AgentFiles files,
      ColonyDirectory directory,
      ColonyClient colony,
      Tunnel tunnel,
      InstantSource clock) {
    this.settings = settings;
    this.files = files;
    this.directory = directory;
    this.colony = colony;
    this.tunnel = tunnel;
    this.clock = clock;
  }

  /**
   * Does one step; {@link JoinStep#OPEN_SESSION} is the actor's.
   *
   * @return what is known after it
   */
  JoinProgress run(JoinStep step, JoinProgress before) throws JoinException {
    try {
      return switch (step) {
        case FIND_COLONY -> before.withEndpoints(find());
        case CERTIFICATE -> before.withCredentials(credentials(before));
        case REACH_COLONY -> reach(before);
        case CREATE_INTERFACE -> create(before);
        case REGISTER -> register(before);
        case ASSIGN_ADDRESSES -> assign(before);
        case ADD_COLONY -> addColony(before);
        case PROBE_TUNNEL -> probe(before);
        case OPEN_SESSION -> throw new IllegalArgumentException("the session is the actor's");
      };
    } catch (IOException e) {
      throw new JoinException(Kind.FILES_FAILED, String.valueOf(e.getMessage()), e);
    }
  }

  private List<Endpoint> find() throws JoinException, IOException {
    if (settings.colonyEndpoint().isPresent()) {
      return List.of(settings.colonyEndpoint().get());
    }
    try {
      return directory.find(settings.colonyId());
    } catch (JoinException e) {
      List<Endpoint> known = known().map(KnownColony::endpoints).orElse(List.of());
      if (known.isEmpty()) {
        throw e;
      }
      LOG.warn("{}; trying {} where the colony was last", e.getMessage(), known);
      return known;
    }
  }

  private Credentials credentials(JoinProgress before) throws JoinException, IOException {
    Fingerprint pin = pin();
    Optional<Identity> kept = files.identity();
    if (kept.isPresent() && !before.buyCertificate()) {
      X509Certificate certificate = kept.get().certificate();
      Instant end = certificate.getNotAfter().toInstant();
      if (clock.instant().isBefore(end)) {
        return new Credentials(pin, kept.get());
      }
      throw new JoinException(
          Kind.CERTIFICATE_EXPIRED,
          "the agent's certificate expired at "
              + end
              + "; give the colony secret once (--colony-secret-file) to buy a new one");
    }
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
            before.endpoints(),
            pin,
            settings.colonySecret().get(),
            settings.agentId(),
            request.pem());
    AgentCertificate bought = AgentCertificate.verified(issued, request.key(), pin);
    files.keep(bought.identity(), bought.authority());
    LOG.info(
        "Bought certificate {}, good until {}",
        bought.identity().certificate().getSerialNumber().toString(16),
        bought.identity().certificate().getNotAfter().toInstant());
    return new Credentials(pin, bought.identity());
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

  private JoinProgress reach(JoinProgress before) throws JoinException, IOException {
    Credentials credentials = before.credentials().orElseThrow();
    tunnel.prepare();
    Endpoint reached = colony.reach(before.endpoints(), credentials.pin(), credentials.identity());
    return before.withReached(reached);
  }

  private JoinProgress create(JoinProgress before) throws JoinException {
    try {
      tunnel.open();
      return before;
    } catch (IOException e) {
      throw new JoinException(
          Kind.DEVICE_FAILED, "the interface could not be created: " + e.getMessage(), e);
    }
  }

  private JoinProgress register(JoinProgress before) throws JoinException, IOException {
    Credentials credentials = before.credentials().orElseThrow();
    return before.withMembership(
        colony.register(
            before.reached().orElseThrow(),
            credentials.pin(),
            credentials.identity(),
            tunnel.publicKey(),
            before.requestId()));
  }

  private JoinProgress assign(JoinProgress before) throws JoinException, IOException {
    Membership membership = before.membership().orElseThrow();
    String addresses = membership.own().ipv4Text() + " " + membership.own().ipv6Text();
    Optional<String> former = known().flatMap(KnownColony::addresses);
    if (former.isPresent() && !former.get().equals(addresses)) {
      LOG.warn(
          "ADDRESS CHANGED: the colony has given this agent {} in place of {}; whatever was told"
              + " the old address must be told the new one",
          addresses,
          former.get());
    }
    try {
      tunnel.assign(membership);
    } catch (IOException e) {
      throw new JoinException(
          Kind.DEVICE_FAILED, addresses + " could not be assigned: " + e.getMessage(), e);
    }
    if (membership.mtu() > 0 && membership.mtu() < settings.device().mtu()) {
      LOG.warn(
          "The colony carries packets of {} bytes, this agent's interface has {}; set"
              + " coral.agent.device.mtu",
          membership.mtu(),
          settings.device().mtu());
    }
    files.remember(
        new KnownColony(
            settings.colonyId(),
            before.credentials().orElseThrow().pin(),
            List.of(before.reached().orElseThrow()),
            Optional.of(addresses)));
    return before;
  }

  private JoinProgress addColony(JoinProgress before) throws JoinException {
    Membership membership = before.membership().orElseThrow();
    List<Endpoint> endpoints = membership.colonyEndpoints();
    Endpoint endpoint = endpoints.get(before.silences() % endpoints.size());
    try {
      tunnel.connect(membership, endpoint);
      return before;
    } catch (IOException e) {
      throw new JoinException(
          Kind.TUNNEL_SILENT,
          "the colony's WireGuard endpoint " + endpoint + " is no use: " + e,
          e);
    }
  }

  private JoinProgress probe(JoinProgress before) throws JoinException {
    ProbeResult result;
    try {
      result = tunnel.probe(settings.probeTimeout());
    } catch (IOException e) {
      throw new JoinException(Kind.DEVICE_FAILED, String.valueOf(e.getMessage()), e);
    }
    if (result.isAnswered() && !result.isComplete()) {
      LOG.warn("The tunnel carries one address family only: no echo from {}", result.silent());
    }
    return before.withProbe(result);
  }

  private Optional<KnownColony> known() throws JoinException, IOException {
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
}
