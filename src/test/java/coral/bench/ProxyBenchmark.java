package coral.bench;

import coral.api.colony.v1.GetCACertificateRequest;
import coral.api.colony.v1.GetCACertificateResponse;
import coral.model.Endpoint;
import coral.proxy.LocalProxy;
import coral.proxy.ProxyListener;
import coral.proxy.Upstream;
import coral.proxy.Way;
import coral.rpc.Role;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * A proxy on this host before a colony, beside the colony itself over mTLS: GetCACertificate, which
 * costs the colony no write, by gRPC and by Connect in protobuf over HTTP/1.1, with 16 calls under
 * way and with one. Both ways are measured in turns, and the proxy runs among its callers: it takes
 * of the same processors.
 */
final class ProxyBenchmark implements Benchmark {
  private static final String RPC = "coral.colony.v1.ColonyService/GetCACertificate";
  private static final MethodDescriptor<GetCACertificateRequest, GetCACertificateResponse> METHOD =
      MeshChannels.method(
          MethodType.UNARY,
          RPC,
          GetCACertificateRequest.parser(),
          GetCACertificateResponse.parser());

  private static final int AT_ONCE = 16;
  private static final int TURNS = 2;

  @Override
  public List<Measurement> run(Path directory, Duration time) throws Exception {
    ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "proxy-benchmark");
    try (ColonyChild colony = ColonyChild.start(ColonyChild.create(directory));
        MeshChannels channels = new MeshChannels()) {
      Joining joining = new Joining(colony);
      SSLContext tls = joining.tls(Optional.of(joining.administrator()));
      LocalProxy proxy =
          open(
              system,
              new Upstream(List.of(colony.endpoint()), tls, Role.ADMINISTRATOR, Way.PUBLIC));
      Endpoint through = new Endpoint("127.0.0.1", proxy.address().getPort());
      List<ManagedChannel> direct = new ArrayList<>();
      List<ManagedChannel> forwarded = new ArrayList<>();
      for (int i = 0; i < AT_ONCE; i++) {
        direct.add(channels.open(colony.endpoint(), tls));
        forwarded.add(channels.openPlaintext(through));
      }
      CallLoad.warmUp(direct, METHOD, i -> GetCACertificateRequest.getDefaultInstance());
      CallLoad.warmUp(forwarded, METHOD, i -> GetCACertificateRequest.getDefaultInstance());
      List<Measurement> lines = new ArrayList<>();
      for (int atOnce : new int[] {AT_ONCE, 1}) {
        add(
            lines,
            "gRPC, " + atOnce + " in flight",
            () -> grpc(direct.subList(0, atOnce), time),
            () -> grpc(forwarded.subList(0, atOnce), time));
      }
      HttpClient secure =
          HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).sslContext(tls).build();
      HttpClient plain = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
      HttpRequest there = request("https://localhost:" + colony.endpoint().port());
      HttpRequest here = request("http://" + through);
      ConnectLoad.run(secure, there, AT_ONCE, time);
      ConnectLoad.run(plain, here, AT_ONCE, time);
      for (int atOnce : new int[] {AT_ONCE, 1}) {
        add(
            lines,
            "Connect over HTTP/1.1, " + atOnce + " in flight",
            () -> ConnectLoad.run(secure, there, atOnce, time),
            () -> ConnectLoad.run(plain, here, atOnce, time));
      }
      proxy.close().toCompletableFuture().get(10, TimeUnit.SECONDS);
      return lines;
    } finally {
      system.terminate();
    }
  }

  private static LocalProxy open(ActorSystem<?> system, Upstream upstream) throws Exception {
    LocalProxy proxy =
        LocalProxy.open(
                system,
                new ProxyListener(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                    Optional.empty(),
                    Set.of()))
            .toCompletableFuture()
            .get(10, TimeUnit.SECONDS);
    proxy.connect(upstream);
    while (!proxy.statistics().connected()) {
      Thread.onSpinWait();
    }
    return proxy;
  }

  private static CallLoad.Result grpc(List<ManagedChannel> channels, Duration time) {
    return CallLoad.run(channels, METHOD, i -> GetCACertificateRequest.getDefaultInstance(), time);
  }

  private static HttpRequest request(String base) {
    return HttpRequest.newBuilder(URI.create(base + "/" + RPC))
        .header("content-type", "application/proto")
        .POST(HttpRequest.BodyPublishers.noBody())
        .build();
  }

  private interface Load {
    CallLoad.Result run() throws Exception;
  }

  private static void add(List<Measurement> lines, String what, Load direct, Load forwarded)
      throws Exception {
    List<CallLoad.Result> there = new ArrayList<>();
    List<CallLoad.Result> here = new ArrayList<>();
    for (int turn = 0; turn < TURNS; turn++) {
      there.add(direct.run());
      here.add(forwarded.run());
    }
    CallLoad.Result a = CallLoad.Result.of(there);
    CallLoad.Result b = CallLoad.Result.of(here);
    lines.add(Measurement.of(what + ", direct", a.rate(), "/s"));
    lines.add(Measurement.of("  p50", a.percentile(50), "ms"));
    lines.add(Measurement.of("  p99", a.percentile(99), "ms"));
    lines.add(Measurement.of(what + ", through the proxy", b.rate(), "/s"));
    lines.add(Measurement.of("  p50", b.percentile(50), "ms"));
    lines.add(Measurement.of("  p99", b.percentile(99), "ms"));
    lines.add(Measurement.of("  calls per second, of direct ones", 100 * b.rate() / a.rate(), "%"));
    lines.add(
        Measurement.of("  p50, of direct ones", 100 * b.percentile(50) / a.percentile(50), "%"));
    lines.add(
        Measurement.of("  p99, of direct ones", 100 * b.percentile(99) / a.percentile(99), "%"));
  }

  /** Connect calls, each after the other, so many at once. */
  private static final class ConnectLoad {
    private final HttpClient client;
    private final HttpRequest request;
    private final long end;
    private final List<Long> measured = new ArrayList<>();
    private final CompletableFuture<List<Long>> done = new CompletableFuture<>();

    private ConnectLoad(HttpClient client, HttpRequest request, long end) {
      this.client = client;
      this.request = request;
      this.end = end;
    }

    static CallLoad.Result run(HttpClient client, HttpRequest request, int atOnce, Duration time) {
      long began = System.nanoTime();
      List<ConnectLoad> loads = new ArrayList<>();
      for (int i = 0; i < atOnce; i++) {
        loads.add(new ConnectLoad(client, request, began + time.toNanos()));
      }
      loads.forEach(ConnectLoad::next);
      List<Long> all = loads.stream().flatMap(load -> load.done.join().stream()).sorted().toList();
      return new CallLoad.Result(all.size() * 1e9 / (System.nanoTime() - began), all);
    }

    private void next() {
      long sent = System.nanoTime();
      if (sent >= end) {
        done.complete(measured);
        return;
      }
      var unused =
          client
              .sendAsync(request, HttpResponse.BodyHandlers.ofByteArray())
              .whenComplete(
                  (response, failure) -> {
                    if (failure != null || response.statusCode() != 200) {
                      done.completeExceptionally(
                          failure == null
                              ? new IllegalStateException("HTTP " + response.statusCode())
                              : failure);
                    } else {
                      measured.add(System.nanoTime() - sent);
                      next();
                    }
                  });
    }
  }
}
