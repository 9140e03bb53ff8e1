package coral.bench;

import coral.api.mesh.v1.RegisterAgentRequest;
import coral.certificate.KeyType;
import coral.rpc.ClientCertificate;
import io.grpc.ManagedChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * Register over 64 open mTLS connections of 64 agents, with one call under way on each. An agent
 * that registers again and again with a new key costs a durable write and a change of the hub's
 * peers each time, as a new one does; one that repeats itself is answered without a write.
 */
final class RegisterBenchmark implements Benchmark {
  private static final int AGENTS = 64;

  @Override
  public List<Measurement> run(Path directory, Duration time) throws Exception {
    try (ColonyChild colony = ColonyChild.start(ColonyChild.create(directory));
        MeshChannels channels = new MeshChannels()) {
      Joining joining = new Joining(colony);
      List<ManagedChannel> open = new ArrayList<>();
      for (ClientCertificate each :
          joining.bootstrap("agent", Joining.keys(KeyType.P_256, AGENTS))) {
        open.add(channels.open(colony.endpoint(), joining.tls(Optional.of(each))));
      }
      IntFunction<RegisterAgentRequest> newKey =
          agent -> Joining.request(Long.toHexString(ThreadLocalRandom.current().nextLong()));
      CallLoad.warmUp(open, MeshChannels.REGISTER, newKey);
      CallLoad.Result written = CallLoad.run(open, MeshChannels.REGISTER, newKey, time);
      List<RegisterAgentRequest> same =
          IntStream.range(0, AGENTS).mapToObj(agent -> Joining.request("repeated")).toList();
      CallLoad.Result repeated = CallLoad.run(open, MeshChannels.REGISTER, same::get, time);
      return List.of(
          Measurement.of("Register with a new key (written), 64 in flight", written.rate(), "/s")
              .atLeast(1_500),
          Measurement.of("  p50", written.percentile(50), "ms"),
          Measurement.of("  p99", written.percentile(99), "ms").atMost(100),
          Measurement.of(
              "Register repeated (nothing to write), 64 in flight", repeated.rate(), "/s"),
          Measurement.of("  p50", repeated.percentile(50), "ms"),
          Measurement.of("  p99", repeated.percentile(99), "ms"));
    }
  }
}
