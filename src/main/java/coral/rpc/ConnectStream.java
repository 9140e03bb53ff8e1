package coral.rpc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import com.google.protobuf.Struct;
import com.google.protobuf.util.JsonFormat;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * The answers of a call that a server answers with a stream, one after the other as they come; made
 * by {@link ConnectClient#stream}. Read by one thread; {@link #close} may come from any and ends a
 * wait. What is not read the server does not send: TCP holds it back.
 */
public final class ConnectStream<T extends Message> implements AutoCloseable {
  private final HttpURLConnection connection;
  private final String server;
  private final Parser<T> response;
  private final DataInputStream in;
  private boolean ended;

  /** Takes over a connection that has answered with a stream, and closes it. */
  ConnectStream(HttpURLConnection connection, String server, Parser<T> response)
      throws IOException {
    this.connection = connection;
    this.server = server;
    this.response = response;
    this.in = new DataInputStream(connection.getInputStream());
  }

  /**
   * Waits for the next message.
   *
   * @return empty at the end of a stream that has not failed
   * @throws RpcException if the service ends the stream with a refusal, in the words of a unary
   *     call; TIMEOUT if nothing comes for the longest silence; PROTOCOL if the connection breaks
   */
  public Optional<T> next() throws RpcException {
    if (ended) {
      return Optional.empty();
    }
    try {
      return read();
    } catch (InvalidProtocolBufferException e) {
      throw ConnectClient.notOurs(server, "its answer is not the expected message");
    } catch (EOFException e) {
      throw RpcException.unanswered(
          RpcException.Reason.PROTOCOL, server + " broke the stream off", e);
    } catch (IOException e) {
      throw RpcException.of(e, server);
    }
  }

  private Optional<T> read() throws IOException, RpcException {
    int flags = in.readUnsignedByte();
    long length = Integer.toUnsignedLong(in.readInt());
    if (length > ConnectClient.MAX_RESPONSE_BYTES) {
      throw ConnectClient.tooLarge(server);
    }
    byte[] content = new byte[(int) length];
    in.readFully(content);
    if (flags == Envelope.MESSAGE) {
      return Optional.of(response.parseFrom(content));
    }
    if (flags != Envelope.END) {
      throw ConnectClient.notOurs(server, "it sends envelopes with flags " + flags);
    }
    ended = true;
    Struct.Builder end = Struct.newBuilder();
    JsonFormat.parser().merge(new String(content, StandardCharsets.UTF_8), end);
    Optional<RpcException> refusal = ConnectRefusal.ofStream(end.build());
    if (refusal.isPresent()) {
      throw refusal.get();
    }
    return Optional.empty();
  }

  /** Ends the call; the server hears of it. */
  @Override
  public void close() {
    connection.disconnect();
    try (InputStream unused = in) {
      ended = true;
    } catch (IOException e) {
      // What nobody reads any more need not be whole.
    }
  }
}
