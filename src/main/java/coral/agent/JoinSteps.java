package coral.agent;

import coral.agent.JoinFailure.Kind;
import coral.model.Endpoint;
import coral.model.InvitationText;
import coral.model.Secret;
import coral.model.WireGuardKey;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The steps themselves, each on top of what the ones before brought. Every step may be done again:
 * that is how a join recovers. They block, and one attempt is made at a time.
 */
final class JoinSteps {
  private static final Logger LOG = LoggerFactory.getLogger(JoinSteps.class);

  private final AgentSettings settings;
  private final Enrolment enrolment;
  private final DiscoveryClient discovery;
  private final ColonyClient colony;
  private final Tunnel tunnel;
  private final LongSupplier nanoTime;

  /** Why the colony is sought where it was last, as the log has it; empty if it is not. */
  private volatile String fallBack = "";

  /** Hears of each step that is done. */
  interface Listener {
    /**
     * Called on the thread of the attempt.
     *
     * @param startedAt and {@code endedAt}: of the monotonic clock, in nanoseconds
     * @param detail what it brought, for people; empty if the step says it all
     */
    void done(JoinStep step, long startedAt, long endedAt, String detail);
  }

  private interface Call<T> {
    T run() throws JoinException, IOException;
  }

  private interface Action {
    void run() throws JoinException, IOException;
  }

  /**
   * @param nanoTime a monotonic clock, in nanoseconds
   */
  JoinSteps(
      AgentSettings settings,
      Enrolment enrolment,
      DiscoveryClient discovery,
      ColonyClient colony,
      Tunnel tunnel,
      LongSupplier nanoTime) {
    this.settings = settings;
    this.enrolment = enrolment;
    this.discovery = discovery;
    this.colony = colony;
    this.tunnel = tunnel;
    this.nanoTime = nanoTime;
  }

  /** Takes all steps but {@link JoinStep#OPEN_SESSION}; ends early once the tunnel is closed. */
  JoinResult run(JoinAttempt attempt, Listener listener) throws StepFailedException {
    List<Endpoint> endpoints = step(JoinStep.FIND_COLONY, listener, this::find, JoinSteps::list);
    Credentials credentials = credentials(attempt, endpoints, listener);
    Endpoint reached =
        step(
            JoinStep.REACH_COLONY,
            listener,
            () -> reach(endpoints, credentials),
            Endpoint::toString);
    WireGuardKey key =
        step(JoinStep.CREATE_INTERFACE, listener, this::createInterface, made -> tunnel.name());
    Membership membership =
        step(
            JoinStep.REGISTER,
            listener,
            () -> register(reached, credentials, key, attempt.requestId()),
            JoinSteps::ownAddresses);
    step(JoinStep.ASSIGN_ADDRESSES, listener, done(() -> assign(membership, credentials, reached)));
    step(
        JoinStep.ADD_COLONY,
        listener,
        done(() -> addColony(membership, attempt.silences())),
        added -> colonyAsPeer(membership, attempt.silences()));
    ProbeResult probe =
        step(JoinStep.PROBE_TUNNEL, listener, () -> probe(membership, attempt.isMember()));
    return new JoinResult(attempt, credentials, reached, membership, probe);
  }

  private Credentials credentials(JoinAttempt attempt, List<Endpoint> endpoints, Listener listener)
      throws StepFailedException {
    Listener nobody = (step, startedAt, endedAt, detail) -> {};
    boolean buy =
        step(JoinStep.CERTIFICATE, nobody, () -> enrolment.mustBuy(attempt.buyCertificate()));
    if (!buy) {
      return step(JoinStep.CERTIFICATE, listener, enrolment::kept, kept -> "");
    }
    Optional<Secret> token =
        enrolment.paysWithToken()
            ? Optional.of(step(JoinStep.REGISTRATION_TOKEN, listener, enrolment::token))
            : Optional.empty();
    return step(
        JoinStep.CERTIFICATE,
        listener,
        () -> enrolment.bought(endpoints, token),
        bought -> "paid for by " + bought.paidWith().orElse("nobody"));
  }

  private <T> T step(JoinStep step, Listener listener, Call<T> call) throws StepFailedException {
    return step(step, listener, call, result -> "");
  }

  private <T> T step(JoinStep step, Listener listener, Call<T> call, Function<T, String> detail)
      throws StepFailedException {
    try {
      if (tunnel.isClosed()) {
        throw new JoinException(Kind.DEVICE_LOST, "the agent is leaving");
      }
      long startedAt = nanoTime.getAsLong();
      T result = call.run();
      listener.done(step, startedAt, nanoTime.getAsLong(), detail.apply(result));
      return result;
    } catch (JoinException | IOException | RuntimeException e) {
      throw new StepFailedException(step, e);
    }
  }

  private static Call<Done> done(Action action) {
    return () -> {
      action.run();
      return Done.done();
    };
  }

  private List<Endpoint> find() throws JoinException, IOException {
    if (settings.colonyEndpoint().isPresent()) {
      return List.of(settings.colonyEndpoint().get());
    }
    Optional<InvitationText> invitation = settings.credentials().invitation();
    List<Endpoint> elsewhere =
        enrolment
            .known()
            .map(KnownColony::endpoints)
            .or(() -> invitation.map(InvitationText::endpoints))
            .orElse(List.of());
    if (invitation.isPresent() && settings.discovery().isEmpty()) {
      return elsewhere; // whoever invites without naming a discovery has none
    }
    try {
      List<Endpoint> found = discovery.find(enrolment.discovery(), settings.colonyId());
      fallBack = "";
      return found;
    } catch (JoinException e) {
      if (elsewhere.isEmpty()) {
        throw e;
      }
      String told = e.getMessage() + "; trying the colony at " + elsewhere + " all the same";
      LOG.atLevel(told.equals(fallBack) ? Level.DEBUG : Level.WARN).log("{}", told);
      fallBack = told;
      return elsewhere;
    }
  }

  private Endpoint reach(List<Endpoint> endpoints, Credentials credentials) throws JoinException {
    tunnel.prepare();
    return colony.reach(endpoints, credentials.trust(), credentials.identity());
  }

  private WireGuardKey createInterface() throws JoinException {
    try {
      tunnel.open();
      return tunnel.publicKey();
    } catch (IOException e) {
      throw new JoinException(
          Kind.DEVICE_FAILED, "the interface could not be created: " + e.getMessage(), e);
    }
  }

  /**
   * A proxy's key is new at each start. The session of one that was killed may not have ended yet,
   * and its key stands for as long as that: this proxy, which alone has the certificate, ends it.
   */
  private Membership register(
      Endpoint reached, Credentials credentials, WireGuardKey key, String requestId)
      throws JoinException {
    try {
      return colony.register(reached, credentials.trust(), credentials.identity(), key, requestId);
    } catch (JoinException e) {
      if (e.failure().kind() != Kind.CONNECTED_ELSEWHERE || !settings.isStandaloneProxy()) {
        throw e;
      }
      LOG.info("The colony still has the former session of this proxy, which ends now");
      colony.deregister(reached, credentials.trust(), credentials.identity());
      return colony.register(reached, credentials.trust(), credentials.identity(), key, requestId);
    }
  }

  private static String list(List<Endpoint> endpoints) {
    return endpoints.stream().map(Endpoint::toString).collect(Collectors.joining(", "));
  }

  private static String ownAddresses(Membership membership) {
    return membership.own().ipv4Text() + " / " + membership.own().ipv6Text();
  }

  private static String colonyAsPeer(Membership membership, int silences) {
    return membership.colonyEndpoint(silences)
        + " (mesh IPs: "
        + membership.colony().ipv4Text()
        + " / "
        + membership.colony().ipv6Text()
        + ")";
  }

  /** Gives the interface its addresses, and remembers them. */
  private void assign(Membership membership, Credentials credentials, Endpoint reached)
      throws JoinException, IOException {
    String addresses = membership.own().ipv4Text() + " " + membership.own().ipv6Text();
    Optional<String> former = enrolment.known().flatMap(KnownColony::addresses);
    if (former.isPresent() && !former.get().equals(addresses)) {
      LOG.warn(
          "ADDRESS CHANGED: the colony has given this agent {} in place of {}; whatever was told"
              + " the old address must be told the new one",
          addresses,
          former.get());
    }
    try {
      tunnel.assign(membership, settings.isStandaloneProxy());
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
    enrolment.remember(credentials, reached, addresses);
  }

  /**
   * Makes the colony the tunnel's peer.
   *
   * @param silences another endpoint is chosen after each of them
   */
  void addColony(Membership membership, int silences) throws JoinException {
    Endpoint endpoint = membership.colonyEndpoint(silences);
    try {
      tunnel.connect(membership, endpoint);
    } catch (IOException e) {
      throw new JoinException(
          Kind.TUNNEL_SILENT,
          "the colony's WireGuard endpoint " + endpoint + " is no use: " + e,
          e);
    }
  }

  /**
   * A member whose tunnel is silent opens its session all the same: the colony should know. So does
   * a proxy, which has another way.
   */
  private ProbeResult probe(Membership membership, boolean isMember) throws JoinException {
    ProbeResult result;
    try {
      result = tunnel.probe(settings.probeTimeout());
    } catch (IOException e) {
      throw new JoinException(Kind.DEVICE_FAILED, String.valueOf(e.getMessage()), e);
    }
    if (!result.isAnswered() && !isMember && !settings.isStandaloneProxy()) {
      throw new JoinException(
          Kind.TUNNEL_SILENT,
          "no echo from "
              + result.silent()
              + " through the tunnel; is UDP to "
              + membership.colonyEndpoints()
              + " let through?");
    }
    if (result.isAnswered() && !result.isComplete()) {
      LOG.warn("The tunnel carries one address family only: no echo from {}", result.silent());
    }
    return result;
  }
}
