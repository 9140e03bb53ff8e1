package coral.colony;

import coral.address.IpAllocator;
import coral.audit.AuditBacklog;
import coral.metrics.CallMetrics;
import coral.metrics.Count;
import coral.metrics.Label;
import coral.metrics.Metrics;
import coral.model.AuditEvent;
import coral.model.Authentication;
import coral.model.Failure;
import coral.rpc.CallListener;
import coral.rpc.HandshakeRefusal;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Extension;
import org.apache.pekko.actor.typed.ExtensionId;
import org.jspecify.annotations.Nullable;

/**
 * The numbers of a colony. Most are its audit's: each record is counted by its kind. An extension
 * of the actor system, because Pekko management makes its routes itself, see {@link MetricsRoute}.
 */
final class ColonyMetrics implements Extension {
  private static final String AUTHENTICATION = "authentication";

  private enum Shown {
    NONE
  }

  private enum Result {
    ACCEPTED
  }

  /** What is asked when somebody reads the numbers. */
  record Sources(
      Supplier<CompletionStage<IpAllocator.Usage>> usage,
      Supplier<CompletionStage<Integer>> connected) {}

  private record State(IpAllocator.Usage usage, int connected) {}

  private static final class Id extends ExtensionId<ColonyMetrics> {
    static final Id INSTANCE = new Id();

    @Override
    public ColonyMetrics createExtension(ActorSystem<?> system) {
      ColonyMetrics metrics = new ColonyMetrics();
      system.getWhenTerminated().thenRun(metrics.metrics::close);
      return metrics;
    }
  }

  private final Metrics metrics = new Metrics();
  private final CallMetrics calls = new CallMetrics(metrics);
  private final Count records =
      metrics.count("coral.audit.records", "Records written to the audit log, by kind");
  private final Count registrations =
      metrics.count(
          "coral.registrations", "Requests for an address, by what was shown, and what came of it");
  private final Count handshakes =
      metrics.count("coral.handshakes.refused", "Client certificates that were not accepted");
  private volatile @Nullable Sources sources;
  private volatile @Nullable State state;

  private ColonyMetrics() {
    for (AuditEvent.Kind kind : AuditEvent.Kind.values()) {
      records.begin(Label.of("kind", kind));
    }
    for (HandshakeRefusal reason : HandshakeRefusal.values()) {
      handshakes.begin(Label.of("reason", reason));
    }
    beginRegistrations(Optional.empty());
    for (Authentication shown : Authentication.values()) {
      beginRegistrations(Optional.of(shown));
      metrics.gauge(
          "coral.agents",
          "Members of the mesh, by how they last proved who they are",
          () -> agents(shown),
          Label.of(AUTHENTICATION, shown));
    }
    metrics.gauge("coral.sessions.open", "Agents with an open session", this::connected);
    metrics.gauge("coral.addresses.capacity", "Agents that the subnet can hold", this::capacity);
  }

  private void beginRegistrations(Optional<Authentication> shown) {
    registrations.begin(labels(shown, Optional.empty()));
    for (Failure failure : Failure.values()) {
      registrations.begin(labels(shown, Optional.of(failure)));
    }
  }

  static ColonyMetrics of(ActorSystem<?> system) {
    return Id.INSTANCE.apply(system);
  }

  /** Where the present state is asked for, from now on. */
  void watch(Sources asked) {
    sources = asked;
  }

  void watch(AuditBacklog backlog) {
    metrics.gauge("coral.audit.pending", "Events that wait to be recorded", backlog::waiting);
    metrics.count(
        "coral.audit.refusals.unrecorded",
        "Refusals that came too fast to be recorded one by one",
        backlog::refusalsNotRecorded);
  }

  CallListener calls() {
    return calls;
  }

  /** There is one record more. */
  void recorded(AuditEvent.Kind kind) {
    records.add(Label.of("kind", kind));
  }

  /**
   * Somebody has asked for an address.
   *
   * @param shown what it has shown of itself, good or not
   */
  void registered(Optional<Authentication> shown, Optional<Failure> refused) {
    registrations.add(labels(shown, refused));
  }

  void refused(HandshakeRefusal reason) {
    handshakes.add(Label.of("reason", reason));
  }

  private static Label[] labels(Optional<Authentication> shown, Optional<Failure> refused) {
    Enum<?> proof = shown.isPresent() ? shown.get() : Shown.NONE;
    Enum<?> result = refused.isPresent() ? refused.get() : Result.ACCEPTED;
    return new Label[] {Label.of(AUTHENTICATION, proof), Label.of("result", result)};
  }

  /** All numbers, after what is not counted here was asked for; what does not answer is NaN. */
  CompletionStage<String> text() {
    Sources asked = sources;
    if (asked == null) {
      return CompletableFuture.completedStage(metrics.text());
    }
    return asked
        .usage()
        .get()
        .thenCombine(asked.connected().get(), State::new)
        .handle(
            (answer, failure) -> {
              state = answer;
              return metrics.text();
            });
  }

  private Number agents(Authentication shown) {
    State known = state;
    if (known == null) {
      return Double.NaN;
    }
    IpAllocator.Usage usage = known.usage();
    return switch (shown) {
      case CERTIFICATE -> usage.held() - usage.byToken() - usage.byColonySecret();
      case TOKEN -> usage.byToken();
      case COLONY_SECRET -> usage.byColonySecret();
    };
  }

  private Number connected() {
    State known = state;
    return known == null ? Double.NaN : known.connected();
  }

  private Number capacity() {
    State known = state;
    return known == null ? Double.NaN : known.usage().capacity();
  }
}
