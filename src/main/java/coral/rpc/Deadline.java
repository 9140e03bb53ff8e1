package coral.rpc;

import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.japi.pf.PFBuilder;
import org.apache.pekko.stream.CompletionTimeoutException;
import org.apache.pekko.stream.javadsl.Source;

/**
 * Until when a caller waits for an answer, or for the end of a stream. What passes it fails with
 * DEADLINE_EXCEEDED, and whoever works on it is cancelled.
 */
final class Deadline {
  /** Longer than that nobody waits: Pekko's timers do not reach further. */
  private static final Duration LONGEST = Duration.ofDays(200);

  /** The gRPC protocol's Timeout: at most eight digits and a unit. */
  private static final Pattern GRPC = Pattern.compile("([0-9]{1,8})([HMSmun])");

  /** The Connect protocol's Timeout-Milliseconds. */
  private static final Pattern CONNECT = Pattern.compile("[0-9]{1,10}");

  private final Optional<Duration> timeout;
  private final long begin = System.nanoTime();

  private Deadline(Optional<Duration> timeout) {
    this.timeout = timeout.filter(t -> t.compareTo(LONGEST) < 0);
  }

  /** From now on; empty is none. */
  static Deadline after(Optional<Duration> timeout) {
    return new Deadline(timeout);
  }

  /**
   * The deadline of a gRPC request.
   *
   * @throws GrpcServiceException INVALID_ARGUMENT if it is malformed
   */
  static Deadline ofGrpc(HttpRequest request) {
    Optional<String> header = request.getHeader("grpc-timeout").map(HttpHeader::value);
    return new Deadline(header.map(Deadline::grpc));
  }

  /**
   * The deadline of a Connect request.
   *
   * @throws GrpcServiceException INVALID_ARGUMENT if it is malformed
   */
  static Deadline ofConnect(HttpRequest request) {
    Optional<String> header = request.getHeader("connect-timeout-ms").map(HttpHeader::value);
    return new Deadline(header.map(Deadline::connect));
  }

  private static Duration grpc(String text) {
    Matcher matcher = GRPC.matcher(text);
    if (!matcher.matches()) {
      throw malformed("grpc-timeout is at most eight digits and one of H, M, S, m, u, n");
    }
    long amount = Long.parseLong(matcher.group(1));
    return switch (matcher.group(2)) {
      case "H" -> Duration.ofHours(amount);
      case "M" -> Duration.ofMinutes(amount);
      case "S" -> Duration.ofSeconds(amount);
      case "m" -> Duration.ofMillis(amount);
      case "u" -> Duration.ofNanos(amount * 1000);
      default -> Duration.ofNanos(amount);
    };
  }

  private static Duration connect(String text) {
    if (!CONNECT.matcher(text).matches()) {
      throw malformed("connect-timeout-ms is at most ten digits");
    }
    return Duration.ofMillis(Long.parseLong(text));
  }

  private static GrpcServiceException malformed(String why) {
    return new GrpcServiceException(Status.INVALID_ARGUMENT.withDescription(why));
  }

  /** This deadline, but not later than so long after its beginning. */
  Deadline atMost(Duration longest) {
    return timeout.isPresent() && timeout.get().compareTo(longest) <= 0
        ? this
        : new Deadline(Optional.of(longest));
  }

  /** What is left; not less than zero. Empty if there is no deadline. */
  Optional<Duration> left() {
    return timeout.map(
        t -> {
          Duration left = t.minusNanos(System.nanoTime() - begin);
          return left.isNegative() ? Duration.ZERO : left;
        });
  }

  /**
   * Refuses a call that need not be begun.
   *
   * @throws GrpcServiceException DEADLINE_EXCEEDED if the deadline has passed
   */
  void requireLeft() {
    if (left().filter(Duration::isZero).isPresent()) {
      throw passed();
    }
  }

  /** The answer, or DEADLINE_EXCEEDED when the deadline passes; the answer is cancelled then. */
  <T> CompletionStage<T> limit(CompletionStage<T> answer, ClassicActorSystemProvider system) {
    Optional<Duration> left = left();
    if (left.isEmpty()) {
      return answer;
    }
    CompletableFuture<T> limited = new CompletableFuture<>();
    ActorSystem actors = system.classicSystem();
    Cancellable timer =
        actors
            .scheduler()
            .scheduleOnce(
                left.get(),
                () -> {
                  if (limited.completeExceptionally(passed())) {
                    answer.toCompletableFuture().cancel(false);
                  }
                },
                actors.dispatcher());
    answer.whenComplete(
        (value, failure) -> {
          timer.cancel();
          if (failure == null) {
            limited.complete(value);
          } else {
            limited.completeExceptionally(failure);
          }
        });
    return limited;
  }

  /** The stream, which fails with DEADLINE_EXCEEDED, and is cancelled, when the deadline passes. */
  <T, M> Source<T, M> limit(Source<T, M> stream) {
    Optional<Duration> left = left();
    return left.isEmpty()
        ? stream
        : stream
            .completionTimeout(left.get())
            .mapError(
                new PFBuilder<Throwable, Throwable>()
                    .match(CompletionTimeoutException.class, timedOut -> passed())
                    .build());
  }

  private GrpcServiceException passed() {
    return new GrpcServiceException(
        Status.DEADLINE_EXCEEDED.withDescription(
            "no answer within "
                + timeout.map(Deadline::text).orElse("")
                + "; the outcome is unknown"));
  }

  private static String text(Duration timeout) {
    return timeout.compareTo(Duration.ofSeconds(1)) < 0
        ? timeout.toNanos() / 1e6 + " ms"
        : timeout.toMillis() / 1e3 + " s";
  }
}
