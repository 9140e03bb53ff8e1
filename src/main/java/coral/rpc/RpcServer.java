package coral.rpc;

import coral.model.RefusedException;
import io.grpc.Status;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Predicate;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.grpc.ServiceDescription;
import org.apache.pekko.grpc.Trailers;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.ServerBuilder;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.javadsl.settings.ServerSettings;
import org.apache.pekko.io.Inet;
import org.apache.pekko.util.ByteString;

/**
 * One port that serves gRPC (and gRPC-Web), and Connect for unary calls, in protobuf and JSON;
 * beside them documents for plain HTTP. Every call passes the limits, then the authorisation table,
 * and only then reaches its service, as an object made for that one call and its caller.
 */
public final class RpcServer {
  /** Limit of a request that is not a stream: more than any of ours needs. */
  public static final int MAX_REQUEST_BYTES = 1 << 20;

  /** Limit of each message of a client stream. */
  public static final int MAX_STREAM_MESSAGE_BYTES = 64 << 10;

  /** How long calls in flight get to end when the process stops. */
  private static final Duration DRAIN = Duration.ofSeconds(3);

  /** How much later than its time a stranger's connection is closed, at most. */
  private static final Duration SWEEP_INTERVAL = Duration.ofSeconds(1);

  private final ClassicActorSystemProvider system;
  private final CallerIdentity identity;
  private final RpcAuthorization authorization;
  private final Map<String, ServedMethod<?>> methods;
  private final Map<String, Integer> limits;
  private final HttpDocuments documents;
  private final Duration streamIdle;
  private final ConnectionLimit connections;
  private final KnownConnections known = new KnownConnections();

  private RpcServer(Builder builder) {
    this.system = builder.system;
    this.connections =
        new ConnectionLimit(
            RpcServerSettings.from(system.classicSystem().settings().config()), System::nanoTime);
    this.identity = builder.identity;
    this.authorization = builder.authorization;
    this.methods = Map.copyOf(builder.methods);
    this.limits = Map.copyOf(builder.limits);
    this.documents = builder.documents;
    this.streamIdle = builder.streamIdle;
  }

  /**
   * How a generated handler is made: {@code XServiceHandlerFactory::create}.
   *
   * @param <T> the generated service interface
   */
  @FunctionalInterface
  public interface HandlerFactory<T> {
    org.apache.pekko.japi.function.Function<HttpRequest, CompletionStage<HttpResponse>> create(
        T service,
        org.apache.pekko.japi.Function<
                ActorSystem, org.apache.pekko.japi.Function<Throwable, Trailers>>
            errors,
        ClassicActorSystemProvider system);
  }

  /** Collects what a server serves. */
  public static final class Builder {
    private final ClassicActorSystemProvider system;
    private final CallerIdentity identity;
    private final RpcAuthorization authorization;
    private final Map<String, ServedMethod<?>> methods = new HashMap<>();
    private final Map<String, Integer> limits = new HashMap<>();
    private final HttpDocuments documents = new HttpDocuments();
    private Duration streamIdle = Duration.ofMinutes(2);

    private Builder(
        ClassicActorSystemProvider system,
        CallerIdentity identity,
        RpcAuthorization authorization) {
      this.system = system;
      this.identity = identity;
      this.authorization = authorization;
    }

    /**
     * Serves one service.
     *
     * @param api the generated interface, such as {@code MeshService.class}
     * @param description {@code MeshService.description}
     * @param service makes the service for one call of one caller
     * @param handlers {@code MeshServiceHandlerFactory::create}
     */
    public <T> Builder service(
        Class<T> api,
        ServiceDescription description,
        Function<Caller, ? extends T> service,
        HandlerFactory<T> handlers) {
      for (ServedMethod<T> method : ServedMethod.of(api, description, service, handlers)) {
        methods.put(method.rpc(), method);
      }
      return this;
    }

    /**
     * Limits one rpc to smaller messages than all may have. Worth it where callers without a
     * certificate may call: what they send is held in memory.
     *
     * @param rpc full name without a leading slash
     */
    public Builder limit(String rpc, int bytes) {
      if (!methods.containsKey(rpc)) {
        throw new IllegalArgumentException("no service serves " + rpc);
      }
      int most = methods.get(rpc).takesStream() ? MAX_STREAM_MESSAGE_BYTES : MAX_REQUEST_BYTES;
      if (bytes < 0 || bytes > most) {
        throw new IllegalArgumentException("a limit of " + rpc + " is 0 to " + most);
      }
      limits.put(rpc, bytes);
      return this;
    }

    /**
     * Serves a document to plain GET requests, of anyone.
     *
     * @param path exactly, such as {@code /.well-known/jwks.json}
     */
    public Builder get(String path, HttpDocument.Source source) {
      documents.get(path, source);
      return this;
    }

    /**
     * Serves documents to plain GET requests, of anyone, of all paths below one. The source is
     * given what follows {@code path} and a slash.
     */
    public Builder getBelow(String path, HttpDocument.Source source) {
      documents.getBelow(path, source);
      return this;
    }

    /**
     * Answers plain POST requests, of anyone, with a document.
     *
     * @param path exactly
     * @param maxBytes of a body; a larger one is refused
     */
    public Builder post(String path, int maxBytes, HttpDocument.Source source) {
      if (maxBytes < 0 || maxBytes > MAX_REQUEST_BYTES) {
        throw new IllegalArgumentException("a limit of " + path + " is 0 to " + MAX_REQUEST_BYTES);
      }
      documents.post(path, maxBytes, source);
      return this;
    }

    /** Ends client streams on which nothing arrives for so long; 2 minutes unless set. */
    public Builder streamIdle(Duration idle) {
      streamIdle = idle;
      return this;
    }

    public RpcServer build() {
      return new RpcServer(this);
    }
  }

  /**
   * Starts to describe a server.
   *
   * @param identity how callers are known
   * @param authorization who may call what
   */
  public static Builder builder(
      ClassicActorSystemProvider system, CallerIdentity identity, RpcAuthorization authorization) {
    return new Builder(system, identity, authorization);
  }

  /**
   * Opens the port. It closes, and calls in flight get time to end, when the actor system's
   * coordinated shutdown runs.
   *
   * @param port 0 takes any free one: see {@link ServerBinding#localAddress}
   * @param tls empty serves plaintext
   */
  public CompletionStage<ServerBinding> bind(String host, int port, Optional<ServerTls> tls) {
    ServerSettings settings = ServerSettings.create(system.classicSystem());
    List<Inet.SocketOption> options = new ArrayList<>();
    settings.getSocketOptions().forEach(options::add);
    options.add(connections);
    ServerBuilder server =
        Http.get(system).newServerAt(host, port).withSettings(settings.withSocketOptions(options));
    if (tls.isPresent()) {
      server = server.enableHttps(tls.get().connectionContext());
    }
    return server.bind(this::handle).thenApply(this::opened);
  }

  /**
   * Ends the connections on which a caller of this name has called with a certificate that has
   * ended, and with them every call and stream that is under way. What comes on another connection
   * is for the handshake to refuse.
   *
   * @return how many
   */
  public int closeConnections(String name, Predicate<X509Certificate> ended) {
    return known.close(name, ended);
  }

  /** The same for all names. */
  public int closeConnections(Predicate<X509Certificate> ended) {
    return known.close(ended);
  }

  private void sweep() {
    connections.sweep();
    known.sweep();
  }

  private ServerBinding opened(ServerBinding binding) {
    Cancellable sweeping =
        system
            .classicSystem()
            .scheduler()
            .scheduleWithFixedDelay(
                SWEEP_INTERVAL, SWEEP_INTERVAL, this::sweep, system.classicSystem().dispatcher());
    binding.whenTerminated().thenRun(sweeping::cancel);
    return binding.addToCoordinatedShutdown(DRAIN, system);
  }

  private CompletionStage<HttpResponse> handle(HttpRequest request) {
    connections.strangerCalled(remote(request));
    String mediaType = request.entity().getContentType().mediaType().toString();
    String path = request.getUri().path();
    if (documents.holds(path)) {
      return documents.answer(path, request, remote(request).getAddress(), system);
    }
    ServedMethod<?> method = methods.get(path.startsWith("/") ? path.substring(1) : path);
    if (isGrpc(mediaType)) {
      return method == null
          ? refuseGrpc(request, unimplemented("no such rpc: " + path))
          : grpc(method, request);
    }
    Optional<ConnectProtocol> connect = ConnectProtocol.of(mediaType);
    if (method == null || connect.isEmpty() || request.method() != HttpMethods.POST) {
      RequestBody.discard(request.entity(), system);
      return completed(notAnRpc(method != null, request));
    }
    return connect(connect.get(), method, request);
  }

  /** Without gRPC-Web's text form: base64 would hide the messages from {@link FrameLimit}. */
  private static boolean isGrpc(String mediaType) {
    return mediaType.startsWith("application/grpc")
        && !mediaType.startsWith("application/grpc-web-text");
  }

  private static HttpResponse notAnRpc(boolean known, HttpRequest request) {
    if (!known) {
      return ConnectProtocol.error(unimplemented("no such rpc"), 404);
    }
    boolean post = request.method() == HttpMethods.POST;
    return HttpResponse.create()
        .withStatus(post ? StatusCodes.UNSUPPORTED_MEDIA_TYPE : StatusCodes.METHOD_NOT_ALLOWED)
        .addHeader(
            post
                ? RawHeader.create("Accept-Post", "application/json, application/proto")
                : RawHeader.create("Allow", "POST"));
  }

  private CompletionStage<HttpResponse> grpc(ServedMethod<?> method, HttpRequest request) {
    Caller caller;
    try {
      refuseEncoding(request, "grpc-encoding");
      caller = admit(method, request);
    } catch (GrpcServiceException | RefusedException e) {
      return refuseGrpc(request, FailureStatus.exception(e));
    }
    // Answers are never compressed: they are small, and some stand beside secrets.
    HttpRequest plain = request.removeHeader("grpc-accept-encoding");
    if (method.takesStream()) {
      int limit = limits.getOrDefault(method.rpc(), MAX_STREAM_MESSAGE_BYTES);
      return method
          .grpc(
              caller,
              plain.withEntity(
                  HttpEntities.create(
                      request.entity().getContentType(),
                      request
                          .entity()
                          .withoutSizeLimit()
                          .getDataBytes()
                          .via(new FrameLimit(limit, streamIdle)))),
              system)
          .exceptionally(thrown -> grpcError(request, FailureStatus.exception(thrown)));
    }
    int limit = limits.getOrDefault(method.rpc(), MAX_REQUEST_BYTES);
    return RequestBody.collect(request.entity(), limit + FrameLimit.PREFIX_LENGTH, system)
        .thenCompose(
            body -> {
              FrameLimit.check(body, limit);
              return method.grpc(
                  caller,
                  plain.withEntity(HttpEntities.create(request.entity().getContentType(), body)),
                  system);
            })
        .exceptionally(thrown -> grpcError(request, FailureStatus.exception(thrown)));
  }

  private CompletionStage<HttpResponse> connect(
      ConnectProtocol protocol, ServedMethod<?> method, HttpRequest request) {
    Caller caller;
    try {
      refuseEncoding(request, "content-encoding");
      caller = admit(method, request);
      if (!method.isUnary()) {
        throw unimplemented(method.rpc() + " is a stream: call it by gRPC");
      }
    } catch (GrpcServiceException | RefusedException e) {
      RequestBody.discard(request.entity(), system);
      return completed(ConnectProtocol.error(FailureStatus.exception(e)));
    }
    int limit = limits.getOrDefault(method.rpc(), MAX_REQUEST_BYTES);
    return RequestBody.collect(request.entity(), limit, system)
        .thenCompose(body -> method.call(caller, protocol.request(body, method.request())))
        .thenApply(protocol::response)
        .exceptionally(thrown -> ConnectProtocol.error(FailureStatus.exception(thrown)));
  }

  private Caller admit(ServedMethod<?> method, HttpRequest request) {
    Caller caller = identity.identify(certificate(request), remote(request));
    caller.certificate().ifPresent(certificate -> remember(caller, certificate));
    authorization.require(method.rpc(), caller);
    return caller;
  }

  private void remember(Caller caller, X509Certificate certificate) {
    connections
        .known(caller.remote())
        .ifPresent(
            socket -> known.add(caller.name().orElse(""), caller.remote(), socket, certificate));
  }

  /** Compression is refused: a message of 40 KB can inflate to 40 MB before any limit sees it. */
  private static void refuseEncoding(HttpRequest request, String header) {
    boolean encoded =
        request.getHeader(header).map(h -> !h.value().equals("identity")).orElse(false);
    if (encoded) {
      throw unimplemented("compressed requests are not accepted");
    }
  }

  private CompletionStage<HttpResponse> refuseGrpc(
      HttpRequest request, GrpcServiceException exception) {
    RequestBody.discard(request.entity(), system);
    return completed(grpcError(request, exception));
  }

  /** A response of trailers only (the gRPC protocol's Trailers-Only). */
  private static HttpResponse grpcError(HttpRequest request, GrpcServiceException exception) {
    Status status = exception.status();
    HttpResponse response =
        HttpResponse.create()
            .withEntity(
                HttpEntities.create(
                    request.entity().getContentType(), ByteString.emptyByteString()))
            .addHeader(RawHeader.create("grpc-status", Integer.toString(status.getCode().value())));
    if (status.getDescription() != null) {
      response =
          response.addHeader(
              RawHeader.create(
                  "grpc-message", FailureStatus.percentEncoded(status.getDescription())));
    }
    return FailureStatus.withTrailers(response, exception);
  }

  private static Optional<X509Certificate> certificate(HttpRequest request) {
    return request.getAttribute(AttributeKeys.sslSession).flatMap(info -> leaf(info.getSession()));
  }

  private static Optional<X509Certificate> leaf(SSLSession session) {
    try {
      return session.getPeerCertificates()[0] instanceof X509Certificate certificate
          ? Optional.of(certificate)
          : Optional.empty();
    } catch (SSLPeerUnverifiedException e) {
      return Optional.empty(); // no certificate was shown
    }
  }

  private static InetSocketAddress remote(HttpRequest request) {
    return request
        .getAttribute(AttributeKeys.remoteAddress)
        .flatMap(
            remote ->
                remote
                    .getAddress()
                    .map(address -> new InetSocketAddress(address, remote.getPort())))
        .orElseGet(() -> new InetSocketAddress(0));
  }

  private static GrpcServiceException unimplemented(String message) {
    return new GrpcServiceException(Status.UNIMPLEMENTED.withDescription(message));
  }

  private static CompletionStage<HttpResponse> completed(HttpResponse response) {
    return CompletableFuture.completedFuture(response);
  }
}
