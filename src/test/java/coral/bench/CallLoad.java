package coral.bench;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntFunction;

/** One call of a method after the other on each connection, on all of them at once. */
final class CallLoad<Q, R> {
  /** Until both sides are compiled: before that, the compiler takes most of the processors. */
  private static final Duration WARM_UP = Duration.ofSeconds(25);

  private final ManagedChannel channel;
  private final MethodDescriptor<Q, R> method;
  private final int connection;
  private final IntFunction<Q> requests;
  private final long end;
  private final CompletableFuture<List<Long>> nanoseconds = new CompletableFuture<>();
  private final List<Long> measured = new ArrayList<>();

  /** Rate and times of calls. */
  record Result(double rate, List<Long> sortedNanoseconds) {
    /** Of several runs of the same length. */
    static Result of(List<Result> runs) {
      return new Result(
          runs.stream().mapToDouble(Result::rate).average().orElse(0),
          runs.stream().flatMap(run -> run.sortedNanoseconds().stream()).sorted().toList());
    }

    double percentile(int percent) {
      int index = (int) Math.ceil(sortedNanoseconds.size() * percent / 100.0) - 1;
      return sortedNanoseconds.get(Math.max(0, index)) / 1e6;
    }
  }

  private CallLoad(
      ManagedChannel channel,
      MethodDescriptor<Q, R> method,
      int connection,
      IntFunction<Q> requests,
      long end) {
    this.channel = channel;
    this.method = method;
    this.connection = connection;
    this.requests = requests;
    this.end = end;
  }

  /** Calls before anything is measured. */
  static <Q, R> void warmUp(
      List<ManagedChannel> channels, MethodDescriptor<Q, R> method, IntFunction<Q> requests) {
    run(channels, method, requests, WARM_UP);
  }

  /**
   * Calls until the time is over; a call that fails ends the benchmark.
   *
   * @param requests the next request of a connection
   */
  static <Q, R> Result run(
      List<ManagedChannel> channels,
      MethodDescriptor<Q, R> method,
      IntFunction<Q> requests,
      Duration time) {
    long began = System.nanoTime();
    List<CallLoad<Q, R>> loads = new ArrayList<>();
    for (int i = 0; i < channels.size(); i++) {
      loads.add(new CallLoad<>(channels.get(i), method, i, requests, began + time.toNanos()));
    }
    loads.forEach(CallLoad::next);
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
        channel.newCall(method, CallOptions.DEFAULT),
        requests.apply(connection),
        new StreamObserver<R>() {
          @Override
          public void onNext(R response) {
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
