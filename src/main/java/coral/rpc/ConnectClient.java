package coral.rpc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import com.google.protobuf.Struct;
import com.google.protobuf.util.JsonFormat;
import coral.model.Endpoint;
import io.grpc.Status;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Calls by the Connect protocol, in protobuf over HTTP/1.1, that are answered with one message or
 * with a stream: blocking, with the JDK's own HTTP client and no actor system, because a command
 * should answer before one would have started.
 */
public final class ConnectClient {
  /** Of one message. More than any page of ours: 1,000 agents weigh less than 1 MiB. */
  public static final int MAX_RESPONSE_BYTES = 16 << 20;

  /** Longer than a refusal takes to come back from a busy server; spent only after a failure. */
  private static final Duration VERDICT = Duration.ofMillis(500);

  /** Longer than a process that was killed keeps its port. */
  private static final Duration LAST_BREATH = Duration.ofMillis(500);

  /**
   * Of a proxy, or of a server that is busy or on its way: the Connect protocol's "unavailable".
   */
  private static final Set<Integer> PASSING = Set.of(429, 502, 503, 504);

  private static final String PROTOBUF = "application/proto";

  private static final String PROTOBUF_STREAM = "application/connect+proto";

  private final URI base;
  // One factory for all calls: the JDK keeps idle connections by factory, and a context makes a new
  // one each time it is asked.
  private final Optional<SSLSocketFactory> tls;
  private final Duration connectTimeout;
  private final Duration readTimeout;

  private ConnectClient(
      URI base, Optional<SSLContext> tls, Duration connectTimeout, Duration readTimeout) {
    this.base = base;
    this.tls = tls.map(SSLContext::getSocketFactory);
    this.connectTimeout = connectTimeout;
    this.readTimeout = readTimeout;
  }

  /** Calls over TLS; the context is one of {@link ClientTls}. */
  public static ConnectClient https(
      Endpoint endpoint, SSLContext tls, Duration connectTimeout, Duration readTimeout) {
    return new ConnectClient(
        URI.create("https://" + endpoint), Optional.of(tls), connectTimeout, readTimeout);
  }

  /** Calls in plaintext: for a discovery service with TLS switched off. */
  public static ConnectClient plaintext(
      Endpoint endpoint, Duration connectTimeout, Duration readTimeout) {
    return new ConnectClient(
        URI.create("http://" + endpoint), Optional.empty(), connectTimeout, readTimeout);
  }

  /**
   * Makes one call and waits for its answer. A call whose connection breaks may be made twice:
   * every rpc of ours is idempotent, or says so by its answer.
   *
   * @param rpc full name without a leading slash: {@code coral.colony.v1.ColonyService/GetStatus}
   * @throws RpcException if the service refuses, or cannot be reached or believed
   */
  public <T extends Message> T call(String rpc, Message request, Parser<T> response)
      throws RpcException {
    return exchange(sockets -> call(rpc, request, response, sockets));
  }

  /**
   * Makes a call that is answered with a stream, and waits until the server has begun to answer. As
   * with {@link #call}, it may be made twice.
   *
   * @param rpc full name without a leading slash: {@code coral.colony.v1.ColonyService/WatchAgents}
   * @param maxSilence the stream fails with TIMEOUT when nothing arrives for so long; zero waits
   *     for ever
   * @return to be closed; a refusal of the service comes from its first {@link ConnectStream#next}
   * @throws RpcException if the service cannot be reached or believed
   */
  public <T extends Message> ConnectStream<T> stream(
      String rpc, Message request, Parser<T> response, Duration maxSilence) throws RpcException {
    return exchange(sockets -> stream(rpc, request, response, maxSilence, sockets));
  }

  /** What is done over one connection, with the sockets that it is made of. */
  @FunctionalInterface
  private interface Exchange<R> {
    R over(Optional<SSLSocketFactory> sockets) throws IOException, RpcException;
  }

  private <R> R exchange(Exchange<R> exchange) throws RpcException {
    String server = base.getAuthority();
    try {
      return exchange.over(tls);
    } catch (InvalidProtocolBufferException e) {
      throw notOurs(server, "its answer is not the expected message");
    } catch (IOException e) {
      RpcException meaning = RpcException.of(e, server);
      if (meaning.reason() != RpcException.Reason.PROTOCOL || tls.isEmpty()) {
        throw meaning;
      }
    }
    // The connection broke. The reason may be an alert that a reset overtook.
    SSLSocketFactory listening = new VerdictSocketFactory(tls.get(), VERDICT);
    try {
      return exchange.over(Optional.of(listening));
    } catch (IOException e) {
      if (!VerdictSocketFactory.isHungUp(e)) {
        throw RpcException.of(e, server);
      }
      LockSupport.parkNanos(LAST_BREATH.toNanos());
    }
    // A server that is killed hangs up on everybody too; by now nothing listens there any more.
    try {
      return exchange.over(Optional.of(listening));
    } catch (IOException e) {
      throw RpcException.of(e, server);
    }
  }

  private <T extends Message> T call(
      String rpc, Message request, Parser<T> response, Optional<SSLSocketFactory> sockets)
      throws IOException, RpcException {
    String server = base.getAuthority();
    HttpURLConnection connection = open(rpc, PROTOBUF, readTimeout, sockets);
    connection.setRequestProperty("Connect-Timeout-Ms", Long.toString(readTimeout.toMillis()));
    boolean keep = false;
    try {
      send(connection, request.toByteArray(), PROTOBUF);
      try (InputStream in = connection.getInputStream()) {
        T answer = response.parseFrom(read(in, server));
        keep = sockets.isPresent();
        return answer;
      }
    } finally {
      if (!keep) {
        connection.disconnect();
      }
    }
  }

  private <T extends Message> ConnectStream<T> stream(
      String rpc,
      Message request,
      Parser<T> response,
      Duration maxSilence,
      Optional<SSLSocketFactory> sockets)
      throws IOException, RpcException {
    HttpURLConnection connection = open(rpc, PROTOBUF_STREAM, maxSilence, sockets);
    boolean opened = false;
    try {
      send(connection, Envelope.of(Envelope.MESSAGE, request.toByteArray()), PROTOBUF_STREAM);
      ConnectStream<T> stream = new ConnectStream<>(connection, base.getAuthority(), response);
      opened = true;
      return stream;
    } finally {
      if (!opened) {
        connection.disconnect();
      }
    }
  }

  /** Sends the request and looks at the head of the answer. */
  private void send(HttpURLConnection connection, byte[] body, String contentType)
      throws IOException, RpcException {
    try (OutputStream out = connection.getOutputStream()) {
      // Buffered: in streaming mode the JDK throws away the body of an answer with status 401.
      out.write(body);
    }
    if (connection.getResponseCode() != HttpURLConnection.HTTP_OK) {
      throw refusal(connection, base.getAuthority());
    }
    String type = String.valueOf(connection.getContentType());
    if (!type.equals(contentType)) {
      throw notOurs(base.getAuthority(), "it answers with " + type);
    }
  }

  private HttpURLConnection open(
      String rpc, String contentType, Duration timeout, Optional<SSLSocketFactory> sockets)
      throws IOException {
    HttpURLConnection connection =
        (HttpURLConnection) base.resolve("/" + rpc).toURL().openConnection(Proxy.NO_PROXY);
    if (connection instanceof HttpsURLConnection https) {
      https.setSSLSocketFactory(sockets.orElseThrow());
      // The trust manager knows a server by its pin and URI; a colony has no host name of its own.
      https.setHostnameVerifier((host, session) -> true);
    }
    connection.setConnectTimeout(Math.toIntExact(connectTimeout.toMillis()));
    connection.setReadTimeout(Math.toIntExact(timeout.toMillis()));
    connection.setInstanceFollowRedirects(false);
    connection.setUseCaches(false);
    connection.setDoOutput(true);
    connection.setRequestMethod("POST");
    connection.setRequestProperty("Content-Type", contentType);
    connection.setRequestProperty("Connect-Protocol-Version", "1");
    return connection;
  }

  private static RpcException refusal(HttpURLConnection connection, String server)
      throws IOException, RpcException {
    int status = connection.getResponseCode();
    @Nullable InputStream error = connection.getErrorStream();
    String body = "";
    if (error != null) {
      try (error) {
        body = new String(read(error, server), StandardCharsets.UTF_8);
      }
    }
    Struct.Builder json = Struct.newBuilder();
    try {
      JsonFormat.parser().merge(body, json);
    } catch (InvalidProtocolBufferException e) {
      if (PASSING.contains(status)) {
        return new RpcException(
            RpcException.Reason.REFUSED,
            Status.Code.UNAVAILABLE,
            FailureStatus.failure(Status.Code.UNAVAILABLE, Optional.empty()),
            FailureStatus.seconds(connection.getHeaderField(FailureStatus.RETRY_AFTER)),
            server + " does not answer now (HTTP status " + status + "); try again",
            null);
      }
      return notOurs(server, "it answers with HTTP status " + status);
    }
    return ConnectRefusal.ofUnary(
        json.build(), Optional.ofNullable(connection.getHeaderField(FailureStatus.RETRY_AFTER)));
  }

  private static byte[] read(InputStream in, String server) throws IOException, RpcException {
    byte[] bytes = in.readNBytes(MAX_RESPONSE_BYTES + 1);
    if (bytes.length > MAX_RESPONSE_BYTES) {
      throw tooLarge(server);
    }
    return bytes;
  }

  static RpcException tooLarge(String server) {
    return notOurs(server, "its answer is larger than " + (MAX_RESPONSE_BYTES >> 20) + " MiB");
  }

  static RpcException notOurs(String server, String why) {
    return RpcException.unanswered(
        RpcException.Reason.PROTOCOL, server + " is not a Coral service: " + why, null);
  }
}
