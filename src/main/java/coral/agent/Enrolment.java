package coral.agent;

import coral.agent.ColonyClient.IssuedCertificate;
import coral.agent.ColonyClient.Order;
import coral.agent.JoinFailure.Kind;
import coral.certificate.Identity;
import coral.certificate.PreviousKeyProof;
import coral.certificate.TrustBundle;
import coral.model.AgentId;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import coral.model.Secret;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How the agent comes by its {@link Credentials}: those it keeps, or a certificate that it buys;
 * and how it renews them. Blocks; thread-safe: certificates are asked for one at a time.
 *
 * <p>Every certificate is asked for with a {@link CertificateRequest} that is on disk before, and
 * replaces its predecessor in one write. So whenever the process stops, the next one finds a
 * certificate that is good, or the request that it has to repeat, or both.
 */
final class Enrolment {
  private static final Logger LOG = LoggerFactory.getLogger(Enrolment.class);

  private final AgentSettings settings;
  private final AgentFiles files;
  private final DiscoveryClient discovery;
  private final ColonyClient colony;
  private final InstantSource clock;
  private final TrustKeeper bundles;

  Enrolment(
      AgentSettings settings,
      AgentFiles files,
      DiscoveryClient discovery,
      ColonyClient colony,
      InstantSource clock) {
    this.settings = settings;
    this.files = files;
    this.discovery = discovery;
    this.colony = colony;
    this.clock = clock;
    this.bundles = new TrustKeeper(files);
  }

  /**
   * Whether a certificate has to be bought.
   *
   * @param wanted a new one, even if there is one
   * @throws JoinException CREDENTIALS_MISSING or CERTIFICATE_EXPIRED if it has to be and there is
   *     nothing to pay with: people must help
   */
  boolean mustBuy(boolean wanted) throws JoinException, IOException {
    Optional<X509Certificate> kept = files.identity().map(Identity::certificate);
    Optional<AgentId> holder = AgentFiles.holder(files.directory());
    if (holder.isPresent() && !holder.get().equals(settings.agentId())) {
      throw new JoinException(
          Kind.REFUSED,
          "the certificate in "
              + files.directory()
              + " is that of "
              + holder.get()
              + ", not of "
              + settings.agentId()
              + "; keep that name, or remove the folder to take another one");
    }
    boolean isGood = kept.isPresent() && clock.instant().isBefore(end(kept.get()));
    if (isGood && !wanted) {
      return false;
    }
    if (settings.credentials().canPay()) {
      return true;
    }
    if (kept.isEmpty()) {
      throw new JoinException(
          Kind.CREDENTIALS_MISSING,
          "the agent has no certificate in "
              + files.directory()
              + " and nothing to buy one with; give an invitation ("
              + (settings.isStandaloneProxy()
                  ? "coral invite --role proxy"
                  : "coral connect <invitation>")
              + "), or the colony secret (--colony-secret-file)");
    }
    throw new JoinException(
        Kind.CERTIFICATE_EXPIRED,
        "the agent's certificate expired at "
            + end(kept.get())
            + "; start the agent once with an invitation (coral invite --agent "
            + settings.agentId()
            + ") or the colony secret (--colony-secret-file): with them and its old key it gets a"
            + " new one");
  }

  /** Whether {@link #token} comes before {@link #bought}. */
  boolean paysWithToken() {
    return settings.credentials().payWithToken();
  }

  /** A registration token for the pending key. */
  Secret token() throws JoinException, IOException {
    return discovery.requestToken(
        discovery(),
        settings.colonyId(),
        settings.credentials().colonySecret().orElseThrow(),
        settings.agentId(),
        files.request().keyHash());
  }

  /**
   * Buys a certificate and keeps it. An agent that had another before proves it by its old key.
   *
   * @param endpoints where it can be bought, best first
   * @param token if {@link #paysWithToken}
   */
  synchronized Credentials bought(List<Endpoint> endpoints, Optional<Secret> token)
      throws JoinException, IOException {
    CertificateRequest request = files.request();
    Optional<PreviousKeyProof> proof = files.identity().map(request::provenBy);
    ColonyTrust trust = trust();
    return ordered(endpoints, trust, new Order(request, payment(endpoints, trust, token), proof));
  }

  private Payment payment(List<Endpoint> endpoints, ColonyTrust trust, Optional<Secret> token)
      throws JoinException, IOException {
    if (token.isPresent()) {
      return new Payment.Token(token.get());
    }
    CredentialSettings given = settings.credentials();
    if (given.invitation().isPresent()) {
      return new Payment.Invitation(given.invitation().get().secret());
    }
    if (given.inviter().isPresent()) {
      Path inviter = given.inviter().get();
      Identity operator = Identity.load(inviter.resolve("cert.pem"), inviter.resolve("key.pem"));
      return new Payment.Invitation(colony.invite(endpoints, trust, operator));
    }
    return new Payment.ColonySecret(given.colonySecret().orElseThrow());
  }

  /** What is on disk. */
  Credentials kept() throws JoinException, IOException {
    Identity identity =
        files
            .identity()
            .orElseThrow(
                () -> new IOException("the certificate is gone from " + files.directory()));
    return new Credentials(trust(), identity, known().flatMap(KnownColony::paidWith));
  }

  /**
   * What to use from now on instead of these credentials; empty if they are good. A renewal that
   * was under way when the process stopped is completed, due or not.
   *
   * @param endpoint where the colony was reached with them
   * @param due whether to renew
   */
  synchronized Optional<Credentials> renewed(Endpoint endpoint, Credentials inUse, boolean due)
      throws JoinException, IOException {
    Credentials kept = kept();
    if (!kept.identity().certificate().equals(inUse.identity().certificate())) {
      return Optional.of(kept);
    }
    if (!due && files.pendingRequest().isEmpty()) {
      return Optional.empty();
    }
    Payment payment = new Payment.Certificate(inUse.identity());
    Order order = new Order(files.request(), payment, Optional.empty());
    return Optional.of(ordered(List.of(endpoint), kept.trust(), order));
  }

  private Credentials ordered(List<Endpoint> endpoints, ColonyTrust trust, Order order)
      throws JoinException, IOException {
    IssuedCertificate issued;
    try {
      issued = colony.requestCertificate(endpoints, trust, order);
    } catch (JoinException e) {
      Kind kind = e.failure().kind();
      if (kind == Kind.REFUSED || kind == Kind.IDENTITY_SUSPENDED) {
        // Not for lack of means: the colony will not have this key, but perhaps another one.
        files.discardRequest();
      }
      throw e;
    }
    if (!issued.notice().isEmpty()) {
      LOG.warn("The colony says: {}", issued.notice());
    }
    AgentCertificate bought =
        AgentCertificate.verified(
            issued,
            new AgentCertificate.Holder(
                settings.colonyId(), settings.agentId(), order.request().key()),
            trust,
            clock.instant());
    if (bought.bundle().isPresent()) {
      bundles.keep(bought.bundle().get());
    } else {
      bought.objection().ifPresent(bundles::refused);
    }
    // First, or an agent that ends here would have a certificate and not know of which colony.
    remember(
        known(trust, endpoints, known().flatMap(KnownColony::addresses), order.payment().kind()));
    files.keep(bought.identity());
    X509Certificate certificate = bought.identity().certificate();
    LOG.info(
        "Certificate {}, paid for by {}, good until {}",
        certificate.getSerialNumber().toString(16),
        order.payment().kind(),
        end(certificate));
    return new Credentials(trust(), bought.identity(), Optional.of(order.payment().kind()));
  }

  /**
   * Takes the roots that the colony hands on, if they follow from those that are trusted.
   *
   * @return the version that is on disk now; empty if the bundle was refused
   */
  Optional<Long> take(TrustBundle offered) throws JoinException, IOException {
    return bundles.take(trust(), offered, clock.instant());
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

  /** For the next start. */
  private void remember(KnownColony colony) throws IOException {
    files.remember(colony);
  }

  /** Remembers a colony that has taken the agent in. */
  void remember(Credentials credentials, Endpoint reached, String addresses)
      throws JoinException, IOException {
    remember(
        known(
            credentials.trust(),
            List.of(reached),
            Optional.of(addresses),
            credentials.paidWith().orElse(null)));
  }

  private KnownColony known(
      ColonyTrust trust,
      List<Endpoint> endpoints,
      Optional<String> addresses,
      @Nullable String paidWith)
      throws JoinException, IOException {
    Fingerprint pin = settings.caFingerprint().or(trust::pin).orElse(null);
    if (pin == null) {
      pin = known().map(KnownColony::pin).orElseThrow();
    }
    Optional<DiscoveryAddress> named =
        settings.discovery().isPresent()
            ? Optional.of(discovery())
            : known().flatMap(KnownColony::discovery);
    return new KnownColony(
        settings.colonyId(), pin, named, endpoints, addresses, Optional.ofNullable(paidWith));
  }

  /** Where discovery is: as the settings say, else as at the last start. */
  DiscoveryAddress discovery() throws JoinException, IOException {
    Optional<DiscoveryAddress> remembered = known().flatMap(KnownColony::discovery);
    URI uri =
        settings
            .discovery()
            .or(() -> remembered.map(DiscoveryAddress::uri))
            .orElse(AgentSettings.DEFAULT_DISCOVERY);
    Optional<Fingerprint> pin =
        settings
            .discoveryFingerprint()
            .or(
                () ->
                    remembered
                        .filter(former -> former.uri().equals(uri))
                        .flatMap(DiscoveryAddress::pin));
    return new DiscoveryAddress(uri, pin);
  }

  /**
   * Who speaks for the colony. A pin is believed until the colony that was pinned so has handed on
   * its roots, also if it is given again at each start: once a root is retired for good, nobody
   * should be able to use it. Whom the operator names for the first time is believed alone; roots
   * of a colony that was pinned otherwise are not.
   */
  ColonyTrust trust() throws JoinException, IOException {
    Optional<Fingerprint> remembered = known().map(KnownColony::pin);
    Optional<Fingerprint> given = settings.caFingerprint();
    Optional<TrustBundle> bundle = files.trustBundle();
    if (given.isPresent()) {
      if (remembered.isPresent() && !given.equals(remembered)) {
        LOG.warn("The fingerprint given, {}, replaces {}", given.get(), remembered.get());
        return ColonyTrust.pinned(given.get());
      }
      if (remembered.isEmpty()) {
        Predicate<TrustBundle> hasGiven =
            known ->
                known.roots().stream().map(ColonyTrust::fingerprint).anyMatch(given.get()::equals);
        return new ColonyTrust(given, bundle.filter(hasGiven));
      }
    }
    if (bundle.isPresent() && remembered.isPresent()) {
      return new ColonyTrust(Optional.empty(), bundle);
    }
    return ColonyTrust.pinned(
        remembered.orElseThrow(
            () ->
                new JoinException(
                    Kind.CREDENTIALS_MISSING,
                    "the colony's CA fingerprint is not known; join with an invitation (coral"
                        + " invite), or give it (--ca-fingerprint), as coral init printed it")));
  }

  private static Instant end(X509Certificate certificate) {
    return certificate.getNotAfter().toInstant();
  }
}
