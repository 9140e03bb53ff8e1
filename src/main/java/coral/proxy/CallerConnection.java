package coral.proxy;

import io.netty.channel.Channel;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.util.Optional;

/** A connection from a caller, and whether anything is under way on it. On the event loop alone. */
@SuppressWarnings("FutureReturnValueIgnored") // what becomes of a write its channel's end tells
final class CallerConnection {
  private final Channel channel;
  private final InetSocketAddress remote;
  private Optional<X509Certificate> certificate = Optional.empty();
  private int open;
  private boolean used;
  private long idleSince;

  CallerConnection(Channel channel, InetSocketAddress remote) {
    this.channel = channel;
    this.remote = remote;
    this.idleSince = System.nanoTime();
  }

  void authenticated(X509Certificate shown) {
    certificate = Optional.of(shown);
  }

  InetSocketAddress remote() {
    return remote;
  }

  /** What the caller has shown, verified by the handshake. */
  Optional<X509Certificate> certificate() {
    return certificate;
  }

  void began() {
    open++;
    used = true;
  }

  void ended() {
    open--;
    idleSince = System.nanoTime();
  }

  boolean isIdle() {
    return open == 0;
  }

  /** Closes it if nothing has been under way for too long. */
  void sweep(ProxyLimits limits, long now) {
    long most = (used ? limits.idle() : limits.firstRequest()).toNanos();
    if (open == 0 && now - idleSince > most) {
      channel.close();
    }
  }
}
