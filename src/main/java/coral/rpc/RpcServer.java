package coral.rpc;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.apache.pekko.grpc.ServiceDescription;
import org.apache.pekko.grpc.Trailers;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/**
 * One port that serves gRPC (and gRPC-Web), and Connect for unary calls, in protobuf and JSON.
 * Every call passes the limits, then the authorisation table, and only then reaches its service, as
 * an object made for that one call and its caller.
 */
public final class RpcServer {
  private RpcServer() {}

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
    Builder() {}

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
      throw new UnsupportedOperationException();
    }

    /** Limits one rpc to requests smaller than the 1 MiB that all may have. */
    public Builder limit(String rpc, int bytes) {
      throw new UnsupportedOperationException();
    }

    /** Ends client streams that say nothing for so long; 2 minutes unless set. */
    public Builder streamIdle(Duration idle) {
      throw new UnsupportedOperationException();
    }

    public RpcServer build() {
      throw new UnsupportedOperationException();
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
    throw new UnsupportedOperationException();
  }

  /**
   * Opens the port. It closes, and calls in flight get time to end, when the actor system's
   * coordinated shutdown runs.
   *
   * @param port 0 takes any free one: see {@link ServerBinding#localAddress}
   * @param tls empty serves plaintext
   */
  public CompletionStage<ServerBinding> bind(String host, int port, Optional<ServerTls> tls) {
    throw new UnsupportedOperationException();
  }
}
