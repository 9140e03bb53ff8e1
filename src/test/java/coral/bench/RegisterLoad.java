package coral.bench;

import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntFunction;

/** One call of Register after the other on each connection, on all of them at once. */
final class RegisterLoad {
  private final ManagedChannel channel;
  private final int connection;
  private final IntFunction<RegisterAgentRequest> requests;
  private final long end;
  private final CompletableFuture<List<Long>> nanoseconds = new CompletableFuture<>();
  private final List<Long> measured = new ArrayList<>();

  /** Rate and times of calls. */
  record Result(double rate, List<Long> sortedNanoseconds) {
    double percentile(int percent) {
      int index = (int) Math.ceil(sortedNanoseconds.size() * percent / 100.0) - 1;
      return sortedNanoseconds.get(Math.max(0, index)) / 1e6;
    }
  }

  private RegisterLoad(
      ManagedChannel channel,
      int connection,
      IntFunction<RegisterAgentRequest> requests,
      long end) {
    this.channel = channel;
    this.connection = connection;
    this.requests = requests;
    this.end = end;
  }

  /**
   * Calls until the time is over; a call that fails ends the benchmark.
   *
   * @param requests the next request of a connection
   */
  static Result run(
      List<ManagedChannel> channels, IntFunction<RegisterAgentRequest> requests, Duration time) {
    long began = System.nanoTime();
    List<RegisterLoad> loads = new ArrayList<>();
    for (int i = 0; i < channels.size(); i++) {
      loads.add(new RegisterLoad(channels.get(i), i, requests, began + time.toNanos()));
    }
    loads.forEach(RegisterLoad::next);
    List<Long> all =
        loads.stream().flatMap(load -> load.nanoseconds.join().stream()).sorted().toList();
    return new Result(all.size() * 1e9 / (System.nanoTime() - began), all);
  }

  private void next() {
    long sent = System.nanoTime();
    if (sent >= end) {
      nanoseconds.complete(measured);
      return;
    }
    ClientCalls.asyncUnaryCall(
        channel.newCall(MeshChannels.REGISTER, CallOptions.DEFAULT),
        requests.apply(connection),
        new StreamObserver<RegisterAgentResponse>() {
          @Override
          public void onNext(RegisterAgentResponse response) {
            measured.add(System.nanoTime() - sent);
          }

          @Override
          public void onError(Throwable failure) {
            nanoseconds.completeExceptionally(failure);
          }

          @Override
          public void onCompleted() {
            next();
          }
        });
  }
}
