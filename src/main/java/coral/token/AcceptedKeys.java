package coral.token;

import coral.model.Failure;
import coral.model.RefusedException;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * The keys whose tokens a colony believes: one that it pinned, and those that followed by the word
 * of their predecessors. Immutable.
 */
public final class AcceptedKeys {
  /** More than discovery publishes: {@link SigningKeys#MAX_FORMER} and two. */
  public static final int MAX_PUBLISHED = 64;

  private final Map<String, PublishedKey> keys;

  private AcceptedKeys(Map<String, PublishedKey> keys) {
    this.keys = keys;
  }

  /**
   * Trusts the key of an id that somebody configured, and what follows from it.
   *
   * @throws RefusedException FAILED_PRECONDITION if discovery does not publish it
   */
  public static AcceptedKeys pinned(String keyId, List<PublishedKey> published) {
    for (PublishedKey key : published) {
      if (key.key().id().equals(keyId)) {
        return of(List.of(key)).follow(published);
      }
    }
    throw new RefusedException(
        Failure.FAILED_PRECONDITION,
        "discovery publishes no key of the configured id "
            + keyId
            + "; check that this is the right discovery, and configure the id that it shows its"
            + " operator");
  }

  /**
   * Trusts the key that signs now, seen over a connection to a discovery whose certificate is
   * pinned, and what follows from it.
   *
   * @throws RefusedException FAILED_PRECONDITION if there is none
   */
  public static AcceptedKeys onFirstUse(List<PublishedKey> published) {
    for (PublishedKey key : published) {
      if (key.state() == PublishedKey.State.CURRENT) {
        return of(List.of(key)).follow(published);
      }
    }
    throw new RefusedException(
        Failure.FAILED_PRECONDITION, "discovery publishes no key that signs; ask its operator");
  }

  /** Keys that were accepted before, as they were stored. */
  static AcceptedKeys of(Collection<PublishedKey> accepted) {
    Map<String, PublishedKey> keys = new LinkedHashMap<>();
    accepted.forEach(key -> keys.put(key.key().id(), key));
    return new AcceptedKeys(keys);
  }

  /**
   * What is accepted after discovery has published these keys: those already accepted, and those
   * that an accepted one endorsed. What is no longer published is dropped, and a key that was
   * retired stays so.
   *
   * @throws RefusedException FAILED_PRECONDITION if not one that signs, or will, can be accepted;
   *     then the present keys remain
   */
  public AcceptedKeys follow(List<PublishedKey> published) {
    if (published.size() > MAX_PUBLISHED) {
      throw new RefusedException(
          Failure.FAILED_PRECONDITION,
          "discovery publishes "
              + published.size()
              + " keys; at most "
              + MAX_PUBLISHED
              + " are read");
    }
    Set<String> ids = new HashSet<>();
    for (PublishedKey key : published) {
      if (!ids.add(key.key().id())) {
        throw new RefusedException(
            Failure.FAILED_PRECONDITION, "discovery publishes a key twice: " + key.key().id());
      }
    }
    Map<String, PublishedKey> accepted = new LinkedHashMap<>();
    // They come in the order of their succession, and would be few in any other: once more as long
    // as somebody was added.
    int before;
    do {
      before = accepted.size();
      for (PublishedKey key : published) {
        String id = key.key().id();
        if (!accepted.containsKey(id)) {
          Optional.ofNullable(keys.get(id))
              .map(known -> neverRevived(known, key))
              .or(() -> endorsed(key, accepted))
              .ifPresent(trusted -> accepted.put(id, trusted));
        }
      }
    } while (accepted.size() > before);
    if (accepted.values().stream().allMatch(key -> key.state() == PublishedKey.State.PREVIOUS)) {
      throw new RefusedException(
          Failure.FAILED_PRECONDITION,
          "none of the keys that discovery publishes for signing is endorsed by one that this"
              + " colony accepts; if discovery has really lost its keys, configure the id of its"
              + " new one");
    }
    return new AcceptedKeys(accepted);
  }

  private Optional<PublishedKey> endorsed(PublishedKey key, Map<String, PublishedKey> accepted) {
    return key.endorsement()
        .filter(
            endorsement -> {
              PublishedKey endorser =
                  accepted.getOrDefault(
                      endorsement.endorserId(), keys.get(endorsement.endorserId()));
              return endorser != null && endorsement.holds(endorser.key(), key.key());
            })
        .map(endorsement -> key);
  }

  /** Of two times at which a key is retired, the first holds. */
  private static PublishedKey neverRevived(PublishedKey known, PublishedKey shown) {
    if (known.retiredAt().isEmpty()) {
      return shown;
    }
    boolean earlier =
        shown.retiredAt().isPresent() && shown.retiredAt().get().isBefore(known.retiredAt().get());
    return earlier ? shown : known;
  }

  /** The key of this id, if tokens of it are believed now. */
  public Optional<TokenKey> find(String keyId, Instant now) {
    return Optional.ofNullable(keys.get(keyId))
        .filter(key -> !key.isRetired(now))
        .map(PublishedKey::key);
  }

  /** The key of this id, retired or not. */
  Optional<TokenKey> known(String keyId) {
    return Optional.ofNullable(keys.get(keyId)).map(PublishedKey::key);
  }

  /** Whether a key of this id is accepted, or was and is retired: to ask for it would be no use. */
  public boolean isKnown(String keyId) {
    return keys.containsKey(keyId);
  }

  /** All of them, those retired too, in the order in which they came. */
  public List<PublishedKey> all() {
    return List.copyOf(keys.values());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof AcceptedKeys accepted && keys.equals(accepted.keys);
  }

  @Override
  public int hashCode() {
    return Objects.hashCode(keys);
  }

  @Override
  public String toString() {
    return "AcceptedKeys" + keys.keySet();
  }
}
