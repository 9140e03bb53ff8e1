package coral.certificate;

import coral.model.Failure;
import coral.model.Refused;
import coral.model.RefusedException;
import java.io.IOException;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;

/**
 * The replacement of a colony's root, phase by phase, forward or back. Thread-safe; every phase is
 * on disk before it has an effect, so that a crash leaves one phase or the other.
 *
 * <p>The new root, its intermediates and the word of each root for the other are all made when it
 * is prepared: agents that trust one of them believe the other, whichever way the rotation goes.
 * From then on no step needs the key of a root, and each takes milliseconds.
 */
public final class AuthorityRotation {
  /**
   * How far the agents are.
   *
   * @param agents that have to follow
   * @param withBundle of them, those that have said that they trust the present bundle
   * @param onActiveRoot of them, those whose certificate comes from the root that signs
   */
  public record Fleet(int agents, int withBundle, int onActiveRoot) {}

  /**
   * One of the authorities.
   *
   * @param kind "root", or {@link Intermediate.Kind#label}
   * @param state "prepared", "distributed", "active", "draining" or "retired"
   * @param keyOnline whether its private key is within reach
   */
  public record Standing(
      String kind, String state, X509Certificate certificate, boolean keyOnline) {}

  private final Authority authority;
  private final KeyType type;
  private final InstantSource clock;

  /**
   * The rotation of an authority.
   *
   * @param type of the keys of new roots and their intermediates
   */
  public AuthorityRotation(Authority authority, KeyType type, InstantSource clock) {
    this.authority = authority;
    this.type = type;
    this.clock = clock;
  }

  /** How far the next root has followed the former one. */
  public RotationPhase phase() {
    return authority.hierarchy().state().phase();
  }

  /**
   * The next phase. After the last one a new root is prepared, and the retired one is forgotten.
   * Takes seconds where keys of RSA are made.
   *
   * @param force goes on although agents are missing; they have to be invited again then
   * @return the phase that is reached
   * @throws RefusedException FAILED_PRECONDITION if agents are missing, saying how many
   * @throws IOException if a key that is needed is out of reach, or something could not be written;
   *     then nothing has changed
   */
  public RotationPhase forward(Fleet fleet, boolean force) throws IOException {
    authority.change(
        (present, keys) -> {
          AuthorityState state = present.state();
          if (!force) {
            requireFleet(state.phase(), fleet);
          }
          return switch (state.phase()) {
            case STABLE, RETIRED -> prepared(present, keys);
            case PREPARED -> state.in(RotationPhase.DISTRIBUTED);
            case DISTRIBUTED -> signing(present, state.in(RotationPhase.ACTIVE));
            case ACTIVE -> state.in(RotationPhase.DRAINING);
            case DRAINING -> state.trusting(RotationPhase.RETIRED, state.former(), state.next());
          };
        });
    return phase();
  }

  /**
   * The phase before. What was signed meanwhile stays good as long as its root is in the bundle; a
   * root that was only prepared is forgotten.
   *
   * @return the phase that is reached
   * @throws RefusedException FAILED_PRECONDITION if no rotation is under way
   * @throws IOException if the former root's intermediates cannot sign any more, or something could
   *     not be written; then nothing has changed
   */
  public RotationPhase back() throws IOException {
    authority.change(
        (present, keys) -> {
          AuthorityState state = present.state();
          return switch (state.phase()) {
            case STABLE -> throw refused("no rotation of the root is under way");
            case PREPARED ->
                state.trusting(
                    RotationPhase.STABLE,
                    state.former().withCross(Optional.empty()),
                    Optional.empty());
            case DISTRIBUTED -> state.in(RotationPhase.PREPARED);
            case ACTIVE -> signing(present, state.in(RotationPhase.DISTRIBUTED));
            case DRAINING -> state.in(RotationPhase.ACTIVE);
            case RETIRED -> state.trusting(RotationPhase.DRAINING, state.former(), state.next());
          };
        });
    return phase();
  }

  /** Every root and intermediate, the former root's first. */
  public List<Standing> authorities() {
    Hierarchy now = authority.hierarchy();
    AuthorityState state = now.state();
    List<Standing> standings = new ArrayList<>();
    for (AuthorityState.Root root : state.roots()) {
      String standing = standing(state, root);
      standings.add(
          new Standing(
              "root", standing, root.certificate(), now.issuer(root.certificate()).isPresent()));
      for (Intermediate intermediate : root.intermediates()) {
        boolean isNewest = root.intermediate(intermediate.kind()).equals(Optional.of(intermediate));
        standings.add(
            new Standing(
                intermediate.kind().label(),
                isNewest || !standing.equals("active") ? standing : "draining",
                intermediate.certificate(),
                now.issuer(intermediate.certificate()).isPresent()));
      }
    }
    return standings;
  }

  private static String standing(AuthorityState state, AuthorityState.Root root) {
    boolean isNext = state.next().equals(Optional.of(root));
    return switch (state.phase()) {
      case STABLE, ACTIVE -> "active";
      case PREPARED -> isNext ? "prepared" : "active";
      case DISTRIBUTED -> isNext ? "distributed" : "active";
      case DRAINING -> isNext ? "active" : "draining";
      case RETIRED -> isNext ? "active" : "retired";
    };
  }

  private static void requireFleet(RotationPhase phase, Fleet fleet) {
    boolean needsBundle = phase == RotationPhase.PREPARED || phase == RotationPhase.DISTRIBUTED;
    if (needsBundle && fleet.withBundle() < fleet.agents()) {
      throw refused(
          (fleet.agents() - fleet.withBundle())
              + " of "
              + fleet.agents()
              + " agents do not have the trust bundle yet; wait, or force it and invite them"
              + " again");
    }
    if (phase == RotationPhase.DRAINING && fleet.onActiveRoot() < fleet.agents()) {
      throw refused(
          (fleet.agents() - fleet.onActiveRoot())
              + " of "
              + fleet.agents()
              + " agents have a certificate of the former root still; wait, or force it and invite"
              + " them again");
    }
  }

  private AuthorityState prepared(Hierarchy present, AuthorityKeys keys) throws IOException {
    AuthorityState state = present.state();
    AuthorityState.Root signing = state.signing();
    Issuer voucher = IntermediateRenewal.issuer(present, signing, keys);
    Instant now = clock.instant();
    // No two roots have the same name, nor has one that was prepared and forgotten.
    int generation = Math.toIntExact(state.bundleVersion() + 1);
    String key = AuthorityState.ROOT_KEY + "-" + generation;
    List<KeyPair> pairs = keys.generate(type, 3); // its own, and those of its intermediates
    KeyPair pair = pairs.get(0);
    X509Certificate certificate = CertificateForm.root(state.colonyId(), generation, pair, now);
    keys.put(key, pair.getPrivate(), certificate);
    AuthorityState.Root bare =
        new AuthorityState.Root(
            key,
            generation,
            certificate,
            Optional.of(CertificateForm.cross(voucher, certificate, now)),
            List.of());
    Issuer successor = new Issuer(certificate, pair.getPrivate());
    AuthorityState.Root next =
        IntermediateRenewal.with(
            bare,
            successor,
            EnumSet.allOf(Intermediate.Kind.class),
            pairs.subList(1, 3),
            keys,
            now);
    return state.trusting(
        RotationPhase.PREPARED,
        signing.withCross(
            Optional.of(CertificateForm.cross(successor, signing.certificate(), now))),
        Optional.of(next));
  }

  /** A state in which something else signs than now: it must be able to. */
  private AuthorityState signing(Hierarchy present, AuthorityState following) throws IOException {
    for (Intermediate.Kind kind : Intermediate.Kind.values()) {
      Optional<Issuer> issuer =
          following
              .signing()
              .intermediate(kind)
              .flatMap(intermediate -> present.issuer(intermediate.certificate()));
      if (issuer.isEmpty()
          || !clock.instant().isBefore(issuer.get().certificate().getNotAfter().toInstant())) {
        throw new IOException(
            "the root '"
                + following.signing().key()
                + "' has no intermediate for "
                + kind.label()
                + "s that could sign");
      }
    }
    return following;
  }

  private static RefusedException refused(String message) {
    return new RefusedException(new Refused(Failure.FAILED_PRECONDITION, message));
  }
}
