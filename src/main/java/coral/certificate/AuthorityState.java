package coral.certificate;

import coral.model.ColonyId;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x500.style.IETFUtils;

/**
 * Which authorities a colony has, without their keys: one root, or two while one follows the other,
 * and the intermediates of each. Immutable; {@link AuthorityRotation} decides what follows.
 *
 * @param bundleVersion of the roots that agents have to trust, from 1 on
 * @param former the root that signs until {@link RotationPhase#ACTIVE}, and the only one when
 *     nothing is rotated
 * @param next the root that is to follow
 */
record AuthorityState(long bundleVersion, RotationPhase phase, Root former, Optional<Root> next) {
  /** The key of a colony's first root has this name, and others begin with it. */
  static final String ROOT_KEY = "ca";

  /**
   * A root with what it has signed.
   *
   * @param key its name in {@link AuthorityKeys}
   * @param generation counts the roots of a colony from 1
   * @param cross the root as the other one vouches for it, its predecessor or its successor
   * @param intermediates that have not ended, the oldest first; the last of a kind signs
   */
  record Root(
      String key,
      int generation,
      X509Certificate certificate,
      Optional<X509Certificate> cross,
      List<Intermediate> intermediates) {
    Root {
      intermediates = List.copyOf(intermediates);
    }

    /** The newest of a kind. */
    Optional<Intermediate> intermediate(Intermediate.Kind kind) {
      return intermediates.stream().filter(i -> i.kind() == kind).reduce((a, b) -> b);
    }

    Root with(Intermediate intermediate) {
      List<Intermediate> more = new ArrayList<>(intermediates);
      more.add(intermediate);
      return new Root(key, generation, certificate, cross, more);
    }

    /** With, or without, another root's word for it. */
    Root withCross(Optional<X509Certificate> other) {
      return new Root(key, generation, certificate, other, intermediates);
    }

    Root without(Intermediate intermediate) {
      return new Root(
          key,
          generation,
          certificate,
          cross,
          intermediates.stream().filter(i -> !i.equals(intermediate)).toList());
    }
  }

  /**
   * @throws IllegalArgumentException if phase and roots do not fit, or the roots are of different
   *     colonies
   */
  AuthorityState {
    if (bundleVersion < 1 || (phase == RotationPhase.STABLE) != next.isEmpty()) {
      throw new IllegalArgumentException("in phase " + phase + " with the wrong number of roots");
    }
    ColonyId colonyId = organization(former.certificate());
    if (next.isPresent() && !organization(next.get().certificate()).equals(colonyId)) {
      throw new IllegalArgumentException("its roots are of different colonies");
    }
  }

  /** Of one root and nothing else. */
  static AuthorityState of(Root root) {
    return new AuthorityState(1, RotationPhase.STABLE, root, Optional.empty());
  }

  ColonyId colonyId() {
    return organization(former.certificate());
  }

  /** The root that signs now. */
  Root signing() {
    return phase.nextSigns() ? next.orElseThrow() : former;
  }

  /** All roots, trusted or not. */
  List<Root> roots() {
    return Stream.concat(Stream.of(former), next.stream()).toList();
  }

  /** What agents have to trust, the root that signs first. */
  List<Root> trusted() {
    return switch (phase) {
      case STABLE -> List.of(former);
      case PREPARED, DISTRIBUTED -> List.of(former, next.orElseThrow());
      case ACTIVE, DRAINING -> List.of(next.orElseThrow(), former);
      case RETIRED -> List.of(next.orElseThrow());
    };
  }

  /** Of all roots and intermediates, trusted or not. */
  Stream<X509Certificate> certificates() {
    return roots().stream()
        .flatMap(
            root ->
                Stream.concat(
                    Stream.of(root.certificate()),
                    root.intermediates().stream().map(Intermediate::certificate)));
  }

  /** The roots that are trusted, as far as another root vouches for them. */
  List<X509Certificate> crosses() {
    return trusted().stream().flatMap(root -> root.cross().stream()).toList();
  }

  /** Of all roots and intermediates. */
  Set<String> keyNames() {
    return roots().stream()
        .flatMap(
            root ->
                Stream.concat(
                    Stream.of(root.key()), root.intermediates().stream().map(Intermediate::key)))
        .collect(Collectors.toSet());
  }

  /** In another phase, with the same roots and trust. */
  AuthorityState in(RotationPhase other) {
    return new AuthorityState(bundleVersion, other, former, next);
  }

  /** In another phase, with other roots or other trust. */
  AuthorityState trusting(RotationPhase other, Root newFormer, Optional<Root> newNext) {
    return new AuthorityState(bundleVersion + 1, other, newFormer, newNext);
  }

  /** With another form of one of its roots. */
  AuthorityState with(Root root) {
    return root.key().equals(former.key())
        ? new AuthorityState(bundleVersion, phase, root, next)
        : new AuthorityState(bundleVersion, phase, former, Optional.of(root));
  }

  private static ColonyId organization(X509Certificate root) {
    var organizations =
        X500Name.getInstance(root.getSubjectX500Principal().getEncoded()).getRDNs(BCStyle.O);
    if (organizations.length != 1) {
      throw new IllegalArgumentException("the root's subject does not name one colony");
    }
    return new ColonyId(IETFUtils.valueToString(organizations[0].getFirst().getValue()));
  }
}
