package coral.rpc;

import java.nio.ByteBuffer;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Handshakes between Coral's server and client side of TLS, in memory and on one thread. */
public final class Handshakes {
  private final ServerTls server;
  private final SSLContext client;

  /**
   * Two sides.
   *
   * @param accept asked for the client's certificate in each handshake
   */
  public Handshakes(
      ClientCertificate server,
      X509Certificate root,
      Predicate<X509Certificate> accept,
      String serverUri,
      ClientCertificate client) {
    this.server = ServerTls.trusting(server.key(), server.chain(), () -> List.of(root), accept);
    this.client = ClientTls.trusting(root, serverUri, Optional.of(client));
  }

  /**
   * One handshake, from the first byte to the server's trust in the client; returns true so that it
   * is no loop of nothing.
   *
   * @throws SSLException if one side refuses the other
   */
  public boolean full() throws SSLException {
    Side ours = new Side(server.engine());
    SSLEngine engine = client.createSSLEngine();
    engine.setUseClientMode(true);
    Side theirs = new Side(engine);
    while (!(ours.isDone() && theirs.isDone())) {
      boolean moved = theirs.step(ours);
      moved |= ours.step(theirs);
      if (!moved) {
        throw new SSLException("neither side has anything to say");
      }
    }
    return ours.engine.getSession().getPeerCertificates().length > 0;
  }

  private static final class Side {
    final SSLEngine engine;
    private final ByteBuffer received;
    private final ByteBuffer plain;
    private boolean done;

    Side(SSLEngine engine) {
      this.engine = engine;
      this.received = ByteBuffer.allocate(4 * engine.getSession().getPacketBufferSize());
      this.plain = ByteBuffer.allocate(2 * engine.getSession().getApplicationBufferSize());
    }

    boolean isDone() {
      return done;
    }

    /** Whether it did anything. */
    boolean step(Side other) throws SSLException {
      HandshakeStatus status = engine.getHandshakeStatus();
      return switch (status) {
        case NEED_TASK -> task();
        case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> unwrap();
        case NEED_WRAP -> wrap(other);
        case NOT_HANDSHAKING, FINISHED -> done ? unwrap() : wrap(other);
      };
    }

    private boolean task() {
      @Nullable Runnable task = engine.getDelegatedTask();
      if (task != null) {
        task.run();
      }
      return task != null;
    }

    private boolean wrap(Side other) throws SSLException {
      SSLEngineResult result = engine.wrap(ByteBuffer.allocate(0), other.received);
      return moved(result);
    }

    private boolean unwrap() throws SSLException {
      received.flip();
      try {
        return received.hasRemaining() && moved(engine.unwrap(received, plain));
      } finally {
        received.compact();
      }
    }

    private boolean moved(SSLEngineResult result) {
      boolean finished = result.getHandshakeStatus() == HandshakeStatus.FINISHED;
      done |= finished;
      return finished || result.bytesConsumed() + result.bytesProduced() > 0;
    }
  }
}
