package coral.certificate;

import coral.model.ColonyId;
import java.io.IOException;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/** Has intermediates of a root followed by new ones: yearly, or where there are none yet. */
final class IntermediateRenewal {
  /** Half of its life: what it signed at last, for up to a year, ends before it does. */
  static final Duration AGE = CertificateForm.INTERMEDIATE_VALIDITY.dividedBy(2);

  private IntermediateRenewal() {}

  /** Whether an intermediate of the root that signs is missing or old. */
  static boolean isDue(AuthorityState state, Instant now) {
    return !due(state.signing(), now).isEmpty();
  }

  private static Set<Intermediate.Kind> due(AuthorityState.Root root, Instant now) {
    Set<Intermediate.Kind> due = EnumSet.noneOf(Intermediate.Kind.class);
    for (Intermediate.Kind kind : Intermediate.Kind.values()) {
      boolean isFresh =
          root.intermediate(kind)
              .map(newest -> newest.certificate().getNotBefore().toInstant().plus(AGE))
              .filter(now::isBefore)
              .isPresent();
      if (!isFresh) {
        due.add(kind);
      }
    }
    return due;
  }

  /**
   * The state with new intermediates; their keys are kept when this returns.
   *
   * @throws IOException if the root's key is out of reach or a key could not be kept
   */
  static AuthorityState renewed(Hierarchy hierarchy, AuthorityKeys keys, KeyType type, Instant now)
      throws IOException {
    AuthorityState.Root root = hierarchy.state().signing();
    Set<Intermediate.Kind> due = due(root, now);
    Issuer issuer = issuer(hierarchy, root, keys);
    AuthorityState.Root renewed =
        with(root, issuer, due, keys.generate(type, due.size()), keys, now);
    for (Intermediate old : root.intermediates()) {
      if (old.certificate().getNotAfter().toInstant().isBefore(now)) {
        renewed = renewed.without(old);
      }
    }
    return hierarchy.state().with(renewed);
  }

  /**
   * A root with an intermediate more of each of these kinds.
   *
   * @param pairs one for each
   */
  static AuthorityState.Root with(
      AuthorityState.Root root,
      Issuer issuer,
      Set<Intermediate.Kind> kinds,
      List<KeyPair> pairs,
      AuthorityKeys keys,
      Instant now)
      throws IOException {
    ColonyId colonyId = AuthorityState.of(root).colonyId();
    Iterator<KeyPair> unused = pairs.iterator();
    AuthorityState.Root renewed = root;
    for (Intermediate.Kind kind : kinds) {
      int generation = renewed.intermediate(kind).map(Intermediate::generation).orElse(0) + 1;
      KeyPair pair = unused.next();
      X509Certificate certificate =
          CertificateForm.intermediate(
              issuer, colonyId, kind, root.generation() + "." + generation, pair.getPublic(), now);
      String key = root.key() + "-" + kind.label() + "-" + generation;
      keys.put(key, pair.getPrivate(), certificate);
      renewed = renewed.with(new Intermediate(key, kind, generation, certificate));
    }
    return renewed;
  }

  /**
   * A root with its key.
   *
   * @throws IOException saying where its key should be
   */
  static Issuer issuer(Hierarchy hierarchy, AuthorityState.Root root, AuthorityKeys keys)
      throws IOException {
    return hierarchy
        .issuer(root.certificate())
        .orElseThrow(
            () ->
                new IOException(
                    "the root's private key '"
                        + root.key()
                        + "' is not in "
                        + keys.description()
                        + ": bring it back for as long as this takes"));
  }
}
