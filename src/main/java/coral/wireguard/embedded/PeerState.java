package coral.wireguard.embedded;

import coral.model.WireGuardKey;
import coral.wireguard.Peer;
import coral.wireguard.PeerStatistics;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a device knows of one peer: how it shall be, its sessions, its timers. Every method holds
 * the lock of this object for some field accesses; encryption, decryption and key agreement happen
 * outside.
 */
final class PeerState {
  private final long number;
  private final Indices indices;
  private final StagedPackets staged;
  private final PeerTimers timers;
  private final SessionSlots sessions = new SessionSlots();

  private Peer desired;
  private RemoteIdentity remote;
  private @Nullable InetSocketAddress endpoint;
  private @Nullable InitiatorHandshake handshake;
  private long handshakeSince = PeerTimers.NEVER;
  private byte[] lastTimestamp = new byte[Tai64n.LENGTH];
  private long noInitiationTakenBefore;
  private @Nullable Instant lastHandshake;
  private long receivedBytes;
  private long sentBytes;
  private boolean removed;

  /** When the control thread will look; belongs to {@link ControlLoop}. */
  volatile long scheduledAt = PeerTimers.NEVER;

  /**
   * @param number different for each peer of the device
   */
  PeerState(long number, Peer desired, Indices indices, Semaphore staging, LongSupplier jitter) {
    this.number = number;
    this.desired = desired;
    this.remote = RemoteIdentity.of(desired.publicKey(), desired.presharedKey());
    this.endpoint = desired.endpoint().orElse(null);
    this.indices = indices;
    this.staged = new StagedPackets(staging);
    this.timers = new PeerTimers(jitter);
  }

  long number() {
    return number;
  }

  synchronized WireGuardKey key() {
    return desired.publicKey();
  }

  synchronized Peer desired() {
    return desired;
  }

  /** Takes another desired state with the same key; also once for the first. */
  synchronized void configure(Peer peer, long now) {
    if (!peer.presharedKey().equals(desired.presharedKey())) {
      remote = RemoteIdentity.of(peer.publicKey(), peer.presharedKey());
    }
    if (peer.endpoint().isPresent() && !peer.endpoint().equals(desired.endpoint())) {
      endpoint = peer.endpoint().get();
      timers.endpointReplaced(now);
    }
    desired = peer;
    timers.setPersistentInterval(peer.persistentKeepalive().map(Duration::toNanos).orElse(0L), now);
  }

  /** Forgets keys and packets; what is under way for this peer comes to nothing. */
  synchronized void remove() {
    removed = true;
    forgetKeys();
    staged.take();
  }

  synchronized PeerStatistics statistics() {
    return new PeerStatistics(
        desired.publicKey(),
        Optional.ofNullable(endpoint),
        Optional.ofNullable(lastHandshake),
        receivedBytes,
        sentBytes);
  }

  /** When {@link #due} may have something to say. */
  synchronized long nextDeadline() {
    return removed ? PeerTimers.NEVER : timers.next();
  }

  /** What the timers demand now. */
  synchronized Set<PeerTimers.Due> due(long now) {
    if (removed) {
      return Set.of();
    }
    Set<PeerTimers.Due> due = timers.due(now);
    if (due.contains(PeerTimers.Due.GIVE_UP)) {
      dropHandshake();
      staged.take();
    }
    if (due.contains(PeerTimers.Due.FORGET_KEYS)) {
      forgetKeys();
    }
    return due;
  }

  /** Asks for a handshake as soon as one is allowed. */
  synchronized void wantHandshake(long now) {
    timers.wantHandshake(now);
  }

  // ---- Packets ----

  /** Leave to send one datagram. */
  record Outgoing(Session session, long counter, InetSocketAddress endpoint) {}

  /**
   * Leave to send a packet, or a keepalive if its length is zero. Without a session the packet is
   * kept until there is one, and a handshake is asked for.
   *
   * @param datagramLength for the statistics
   * @return null if nothing is to be sent now
   */
  synchronized @Nullable Outgoing send(
      byte[] packet, int offset, int length, int datagramLength, long now, Drops drops) {
    Session session = sessions.current();
    if (removed || endpoint == null) {
      countUnreachable(length, drops);
      return null;
    }
    if (session == null || !session.canSend(now)) {
      if (length > 0 && !staged.add(packet, offset, length)) {
        drops.count(Drops.Reason.PEER_UNREACHABLE);
      }
      timers.wantHandshake(now);
      return null;
    }
    long counter = session.takeCounter();
    sentBytes += datagramLength;
    if (length > 0) {
      timers.dataSent(now);
    }
    timers.authenticatedSent(now);
    if (session.wantsReplacementAfterSending(now)) {
      timers.wantHandshake(now);
    }
    return new Outgoing(session, counter, endpoint);
  }

  private static void countUnreachable(int length, Drops drops) {
    if (length > 0) {
      drops.count(Drops.Reason.PEER_UNREACHABLE);
    }
  }

  /** The packets that waited for a session. */
  synchronized List<byte[]> takeStaged() {
    return staged.take();
  }

  /**
   * What an authentic message changed.
   *
   * @param moved whether it came from another endpoint than the last
   * @param completed how long the handshake took that it completed; empty if it completed none
   */
  record Change(boolean moved, Optional<Duration> completed) {
    static final Change NONE = new Change(false, Optional.empty());
    static final Change MOVED = new Change(true, Optional.empty());

    boolean isNone() {
      return !moved && completed.isEmpty();
    }
  }

  /** Takes note of authentic transport data. */
  synchronized Change received(
      Session session,
      InetSocketAddress from,
      int datagramLength,
      boolean data,
      long now,
      Instant instant) {
    if (removed) {
      return Change.NONE;
    }
    boolean moved = heard(from, datagramLength, now);
    if (data) {
      timers.dataReceived(now);
    }
    if (session == sessions.current() && session.wantsReplacementAfterReceiving(now)) {
      timers.wantHandshake(now);
    }
    if (sessions.isNext(session)) {
      release(sessions.confirmNext());
      return completed(moved, now, instant);
    }
    return moved ? Change.MOVED : Change.NONE;
  }

  // ---- Handshakes, all on the control thread ----

  synchronized RemoteIdentity remote() {
    return remote;
  }

  /** Where to send an initiation; null, and nothing is begun, if that is not known. */
  synchronized @Nullable InetSocketAddress beginInitiation(long now) {
    if (removed || endpoint == null) {
      return null;
    }
    timers.initiationSent(now);
    if (handshake == null) {
      handshakeSince = now;
    }
    return endpoint;
  }

  /** An initiation was made: its answer is waited for, and that of any before no more. */
  synchronized void initiated(InitiatorHandshake begun, int length, long now) {
    if (removed) {
      indices.release(begun.index());
      return;
    }
    dropHandshake();
    handshake = begun;
    sentBytes += length;
    timers.authenticatedSent(now);
  }

  /** The handshake that waits for its answer. */
  synchronized @Nullable InitiatorHandshake handshake() {
    return handshake;
  }

  /** Our handshake was answered; null if it is no longer waited for. */
  synchronized @Nullable Change answered(
      InitiatorHandshake answered,
      SessionKeys keys,
      InetSocketAddress from,
      int length,
      long now,
      Instant instant) {
    if (removed || handshake != answered) {
      return null;
    }
    handshake = null;
    Session session = new Session(answered.index(), keys, true, now);
    indices.assign(this, session);
    release(sessions.addInitiated(session));
    timers.sessionDerived(now);
    return completed(heard(from, length, now), now, instant);
  }

  /** Whether an authentic initiation is newer than all before and does not come too soon. */
  synchronized boolean acceptInitiation(byte[] timestamp, long now) {
    if (removed || now < noInitiationTakenBefore || !Tai64n.isAfter(timestamp, lastTimestamp)) {
      return false;
    }
    lastTimestamp = timestamp;
    noInitiationTakenBefore = now + Constants.INITIATION_SPACING;
    return true;
  }

  /** The other side's handshake is answered by us; returns null if the peer was removed. */
  synchronized @Nullable Change responded(
      int index, SessionKeys keys, InetSocketAddress from, long now) {
    if (removed) {
      indices.release(index);
      return null;
    }
    Session session = new Session(index, keys, false, now);
    indices.assign(this, session);
    release(sessions.addResponded(session));
    boolean moved = heard(from, Messages.INITIATION_LENGTH, now);
    if (handshake == null) {
      handshakeSince = now;
    }
    sentBytes += Messages.RESPONSE_LENGTH;
    timers.sessionDerived(now);
    timers.authenticatedSent(now);
    return moved ? Change.MOVED : Change.NONE;
  }

  private boolean heard(InetSocketAddress from, int length, long now) {
    receivedBytes += length;
    timers.authenticatedReceived(now);
    if (from.equals(endpoint)) {
      return false;
    }
    endpoint = from;
    return true;
  }

  private Change completed(boolean moved, long now, Instant instant) {
    lastHandshake = instant;
    timers.handshakeCompleted();
    dropHandshake();
    return new Change(moved, Optional.of(Duration.ofNanos(now - handshakeSince)));
  }

  private void forgetKeys() {
    release(sessions.clear());
    dropHandshake();
  }

  private void dropHandshake() {
    if (handshake != null) {
      indices.release(handshake.index());
      handshake = null;
    }
  }

  private void release(List<Session> dropped) {
    for (Session session : dropped) {
      indices.release(session.index());
    }
  }
}
