package coral.proxy;

import coral.api.colony.v1.ColonyServiceClient;
import coral.model.Endpoint;
import coral.rpc.RpcChannel;
import coral.testing.Eventually;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assertions;

/** A proxy before a colony, and clients of it. */
final class ProxyFixture implements AutoCloseable {
  static final Executor RESOLVER = Runnable::run;
  static final HttpClient HTTP_1 =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  final StandInColony colony;
  final LocalProxy proxy;

  ProxyFixture() throws Exception {
    this(new StandInColony());
    connect(colony.endpoint());
  }

  /** Not connected. */
  ProxyFixture(StandInColony colony) throws Exception {
    this(colony, loopback(Set.of()), ProxyLimits.DEFAULT);
  }

  ProxyFixture(StandInColony colony, ProxyListener listener, ProxyLimits limits) throws Exception {
    this(colony, listener, limits, RESOLVER, InstantSource.system());
  }

  /**
   * @param resolver is given one task for each connection that is to be opened
   */
  ProxyFixture(
      StandInColony colony,
      ProxyListener listener,
      ProxyLimits limits,
      Executor resolver,
      InstantSource clock)
      throws Exception {
    this.colony = colony;
    this.proxy =
        LocalProxy.open(resolver, listener, limits, clock)
            .toCompletableFuture()
            .get(10, TimeUnit.SECONDS);
  }

  static ProxyListener loopback(Set<String> origins) {
    return new ProxyListener(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), Optional.empty(), origins);
  }

  /** Waits until it is connected. */
  void connect(Endpoint at) throws Exception {
    proxy.connect(colony.upstream(at));
    awaitConnected();
  }

  void awaitConnected() {
    Eventually.holds(() -> Assertions.assertEquals(Optional.empty(), proxy.statistics().reason()));
  }

  Endpoint endpoint() {
    return new Endpoint("127.0.0.1", proxy.address().getPort());
  }

  ColonyServiceClient grpc() {
    return ColonyServiceClient.create(
        RpcChannel.settings(endpoint(), Optional.empty(), colony.system)
            .withDeadline(Duration.ofSeconds(30)),
        colony.system);
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://" + endpoint() + "/" + path))
        .timeout(Duration.ofSeconds(20));
  }

  HttpResponse<byte[]> post(String path, String type, Map<String, String> headers, byte[] body)
      throws Exception {
    HttpRequest.Builder request =
        request(path)
            .header("content-type", type)
            .POST(HttpRequest.BodyPublishers.ofByteArray(body));
    headers.forEach(request::header);
    return HTTP_1.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
  }

  static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  static Status status(CompletionStage<?> call) {
    Throwable thrown =
        Objects.requireNonNull(
            Assertions.assertThrows(ExecutionException.class, () -> get(call)).getCause());
    return ((StatusRuntimeException) thrown).getStatus();
  }

  @Override
  public void close() throws Exception {
    get(proxy.close());
    colony.close();
  }
}
