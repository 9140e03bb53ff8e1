package coral.rpc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
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
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Unary calls by the Connect protocol, in protobuf over HTTP/1.1: blocking, with the JDK's own HTTP
 * client and no actor system, because a command should answer before one would have started.
 */
public final class ConnectClient {
  /** More than any page of ours: 1,000 agents weigh less than 1 MiB. */
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
    String server = base.getAuthority();
    try {
      return call(rpc, request, response, tls);
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
      return call(rpc, request, response, Optional.of(listening));
    } catch (IOException e) {
      if (!VerdictSocketFactory.isHungUp(e)) {
        throw RpcException.of(e, server);
      }
      LockSupport.parkNanos(LAST_BREATH.toNanos());
    }
    // A server that is killed hangs up on everybody too; by now nothing listens there any more.
    try {
      return call(rpc, request, response, Optional.of(listening));
    } catch (IOException e) {
      throw RpcException.of(e, server);
    }
  }

  private <T extends Message> T call(
      String rpc, Message request, Parser<T> response, Optional<SSLSocketFactory> sockets)
      throws IOException, RpcException {
    String server = base.getAuthority();
    HttpURLConnection connection = open(rpc, sockets);
    boolean keep = false;
    try {
      try (OutputStream out = connection.getOutputStream()) {
        // Buffered: in streaming mode the JDK throws away the body of an answer with status 401.
        out.write(request.toByteArray());
      }
      if (connection.getResponseCode() != HttpURLConnection.HTTP_OK) {
        throw refusal(connection, server);
      }
      String type = String.valueOf(connection.getContentType());
      if (!type.equals(PROTOBUF)) {
        throw notOurs(server, "it answers with " + type);
      }
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

  private HttpURLConnection open(String rpc, Optional<SSLSocketFactory> sockets)
      throws IOException {
    HttpURLConnection connection =
        (HttpURLConnection) base.resolve("/" + rpc).toURL().openConnection(Proxy.NO_PROXY);
    if (connection instanceof HttpsURLConnection https) {
      https.setSSLSocketFactory(sockets.orElseThrow());
      // The trust manager knows a server by its pin and URI; a colony has no host name of its own.
      https.setHostnameVerifier((host, session) -> true);
    }
    connection.setConnectTimeout(Math.toIntExact(connectTimeout.toMillis()));
    connection.setReadTimeout(Math.toIntExact(readTimeout.toMillis()));
    connection.setInstanceFollowRedirects(false);
    connection.setUseCaches(false);
    connection.setDoOutput(true);
    connection.setRequestMethod("POST");
    connection.setRequestProperty("Content-Type", PROTOBUF);
    connection.setRequestProperty("Connect-Protocol-Version", "1");
    connection.setRequestProperty("Connect-Timeout-Ms", Long.toString(readTimeout.toMillis()));
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
    Status.Code code = code(text(json, "code"));
    return new RpcException(
        RpcException.Reason.REFUSED,
        code,
        FailureStatus.failure(
            code, Optional.ofNullable(connection.getHeaderField(FailureStatus.TRAILER))),
        FailureStatus.seconds(connection.getHeaderField(FailureStatus.RETRY_AFTER)),
        text(json, "message"),
        null);
  }

  private static String text(Struct.Builder json, String field) {
    return json.getFieldsOrDefault(field, Value.getDefaultInstance()).getStringValue();
  }

  private static Status.Code code(String connectName) {
    if (connectName.equals("canceled")) {
      return Status.Code.CANCELLED; // Connect spells it with one l
    }
    try {
      return Status.Code.valueOf(connectName.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      return Status.Code.UNKNOWN;
    }
  }

  private static byte[] read(InputStream in, String server) throws IOException, RpcException {
    byte[] bytes = in.readNBytes(MAX_RESPONSE_BYTES + 1);
    if (bytes.length > MAX_RESPONSE_BYTES) {
      throw notOurs(server, "its answer is larger than " + (MAX_RESPONSE_BYTES >> 20) + " MiB");
    }
    return bytes;
  }

  private static RpcException notOurs(String server, String why) {
    return RpcException.unanswered(
        RpcException.Reason.PROTOCOL, server + " is not a Coral service: " + why, null);
  }
}
