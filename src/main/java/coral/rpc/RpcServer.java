package coral.rpc;

import com.google.protobuf.Descriptors.ServiceDescriptor;
import coral.api.reflection.v1.ServerReflection;
import coral.api.reflection.v1.ServerReflectionHandlerFactory;
import coral.api.reflection.v1.ServerReflectionProto;
import coral.model.IpPrefix;
import coral.rpc.reference.ApiReference;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Predicate;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.apache.pekko.grpc.ServiceDescription;
import org.apache.pekko.grpc.Trailers;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.ServerBuilder;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.settings.ServerSettings;
import org.apache.pekko.io.Inet;

/**
 * One port that serves gRPC, gRPC-Web and Connect, in protobuf and JSON; beside them documents for
 * plain HTTP. Every call passes the limits, then the authorisation table, and only then reaches its
 * service, as an object made for that one call and its caller: see {@link RequestHandler}.
 */
public final class RpcServer {
  /** Limit of a request that is not a stream: more than any of ours needs. */
  public static final int MAX_REQUEST_BYTES = 1 << 20;

  /** Limit of each message of a client stream. */
  public static final int MAX_STREAM_MESSAGE_BYTES = 64 << 10;

  /** Server reflection, as authorization tables name it. */
  public static final String REFLECTION = Reflection.RPC;

  /** How long calls in flight get to end when the process stops. */
  private static final Duration DRAIN = Duration.ofSeconds(3);

  /** How much later than its time a stranger's connection is closed, at most. */
  private static final Duration SWEEP_INTERVAL = Duration.ofSeconds(1);

  private final ClassicActorSystemProvider system;
  private final ConnectionLimit connections;
  private final KnownConnections known;
  private final RequestHandler handler;

  private RpcServer(
      ClassicActorSystemProvider system,
      ConnectionLimit connections,
      KnownConnections known,
      RequestHandler handler) {
    this.system = system;
    this.connections = connections;
    this.known = known;
    this.handler = handler;
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
    private CallListener calls = CallListener.NONE;
    private TrustedProxies proxies = new TrustedProxies(List.of());

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

    /**
     * Serves server reflection of the services so far, by both of its names. The authorization
     * decides who may call {@link #REFLECTION}, whichever of them is used.
     */
    public Builder reflection() {
      Map<String, ServiceDescriptor> served = served();
      ServiceDescriptor own = ServerReflectionProto.getDescriptor().getServices().get(0);
      served.put(own.getFullName(), own);
      Reflection reflection = new Reflection(served.values());
      return service(
              ServerReflection.class,
              ServerReflection.description,
              caller -> reflection,
              ServerReflectionHandlerFactory::create)
          .limit(REFLECTION, Reflection.MAX_REQUEST_BYTES);
    }

    /** Serves pages about the services so far, to anyone, below {@link ApiReference#PATH}. */
    public Builder reference(ApiReference.Server about) {
      Collection<ServiceDescriptor> services = served().values();
      new ReferencePages(() -> ApiReference.of(services, this::callers, about)).serve(documents);
      return this;
    }

    private Collection<String> callers(String rpc) {
      return authorization.allowed(rpc).stream().map(Role::wireName).toList();
    }

    private Map<String, ServiceDescriptor> served() {
      Map<String, ServiceDescriptor> served = new HashMap<>();
      methods.values().forEach(m -> served.put(m.service().getFullName(), m.service()));
      return served;
    }

    /** Ends client streams on which nothing arrives for so long; 2 minutes unless set. */
    public Builder streamIdle(Duration idle) {
      streamIdle = idle;
      return this;
    }

    /** Has somebody hear of every call. */
    public Builder telling(CallListener listener) {
      calls = listener;
      return this;
    }

    /**
     * Believes what proxies at these addresses say in {@code X-Forwarded-For} about who called
     * them; nobody's word unless set. It counts for {@link Caller#remote}, not for who a caller is.
     */
    public Builder trustedProxies(List<IpPrefix> prefixes) {
      proxies = new TrustedProxies(prefixes);
      return this;
    }

    public RpcServer build() {
      ConnectionLimit connections =
          new ConnectionLimit(
              RpcServerSettings.from(system.classicSystem().settings().config()), System::nanoTime);
      KnownConnections known = new KnownConnections();
      Admission admission = new Admission(identity, authorization, connections, known, proxies);
      return new RpcServer(
          system,
          connections,
          known,
          new RequestHandler(
              admission,
              methods,
              documents,
              new Calls(system, admission, limits, streamIdle, calls)));
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
    return server.bind(handler::handle).thenApply(this::opened);
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
}
