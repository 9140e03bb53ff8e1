package coral.certificate;

import coral.model.AgentId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The invitations of a colony: the part of the {@link CertificateLedger} that knows them. */
final class InvitationBook {
  /** Open ones at a time. Whoever invites more at once wants an invitation of many uses. */
  static final int MAX_OPEN = 1_000;

  /** Those that are open no more, kept for lists. */
  private static final int MAX_CLOSED = 1_000;

  /** How long one that is open no more can be seen. */
  private static final Duration RETENTION = Duration.ofDays(7);

  /**
   * An invitation and what it is found by.
   *
   * @param secretHash the SHA-256 of its secret
   */
  record Entry(Invitation invitation, String secretHash) {}

  /** By their ids, the oldest first. */
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private final Map<String, String> idsBySecret = new HashMap<>();

  /** The invitation of a secret, whatever has become of it. */
  Optional<Invitation> bySecret(String secretHash) {
    return Optional.ofNullable(idsBySecret.get(secretHash)).flatMap(this::find);
  }

  Optional<Invitation> find(String invitationId) {
    return Optional.ofNullable(entries.get(invitationId)).map(Entry::invitation);
  }

  boolean hasRoom(Instant now) {
    return entries.values().stream().filter(entry -> isOpen(entry, now)).count() < MAX_OPEN;
  }

  /**
   * The open ones that somebody has made: whoever is shut out must not come back by one of them.
   *
   * @param maker as {@link Origin#by} names it
   */
  List<String> openOf(String maker, Instant now) {
    return entries.values().stream()
        .filter(entry -> isOpen(entry, now) && entry.invitation().createdBy().equals(maker))
        .map(entry -> entry.invitation().invitationId())
        .toList();
  }

  /** All that are kept, the oldest first. */
  List<Entry> entries() {
    return List.copyOf(entries.values());
  }

  void created(CertificateEvent.InvitationCreated event) {
    add(
        new Entry(
            new Invitation(
                event.invitationId(),
                event.agentId(),
                event.role(),
                event.at(),
                event.expiresAt(),
                event.uses(),
                event.uses(),
                event.origin().by(),
                false),
            event.secretHash()));
    forget(event.at());
  }

  void add(Entry entry) {
    String id = entry.invitation().invitationId();
    if (entries.containsKey(id) || idsBySecret.putIfAbsent(entry.secretHash(), id) != null) {
      throw new IllegalStateException("the invitation " + id + " was made before");
    }
    entries.put(id, entry);
  }

  void used(CertificateEvent.InvitationUsed event) {
    replace(
        event.invitationId(),
        invitation -> {
          Optional<AgentId> only = invitation.agentId();
          if (invitation.usesLeft() < 1
              || invitation.revoked()
              || (only.isPresent() && !only.get().equals(event.agentId()))) {
            throw new IllegalStateException(
                "the invitation " + event.invitationId() + " cannot be used");
          }
          return changed(invitation, invitation.usesLeft() - 1, false);
        });
  }

  void revoked(CertificateEvent.InvitationRevoked event) {
    replace(event.invitationId(), invitation -> changed(invitation, invitation.usesLeft(), true));
  }

  private interface Change {
    Invitation of(Invitation invitation);
  }

  private void replace(String invitationId, Change change) {
    @Nullable Entry entry = entries.get(invitationId);
    if (entry == null) {
      throw new IllegalStateException("there is no invitation " + invitationId);
    }
    entries.put(invitationId, new Entry(change.of(entry.invitation()), entry.secretHash()));
  }

  private static Invitation changed(Invitation invitation, int usesLeft, boolean revoked) {
    return new Invitation(
        invitation.invitationId(),
        invitation.agentId(),
        invitation.role(),
        invitation.createdAt(),
        invitation.expiresAt(),
        invitation.uses(),
        usesLeft,
        invitation.createdBy(),
        revoked);
  }

  private static boolean isOpen(Entry entry, Instant now) {
    return entry.invitation().status(now) == Invitation.Status.OPEN;
  }

  /**
   * An invitation that cannot be used any more can be forgotten at any time: it is unknown then.
   */
  private void forget(Instant now) {
    List<Entry> closed = new ArrayList<>(entries.values());
    closed.removeIf(entry -> isOpen(entry, now));
    Iterator<Entry> oldest = closed.iterator();
    int left = closed.size();
    while (oldest.hasNext()) {
      Entry entry = oldest.next();
      if (left > MAX_CLOSED || entry.invitation().expiresAt().plus(RETENTION).isBefore(now)) {
        entries.remove(entry.invitation().invitationId());
        idsBySecret.remove(entry.secretHash());
        left--;
      }
    }
  }
}
