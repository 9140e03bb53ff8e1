package coral.colony;

import coral.address.IpAllocator;
import coral.audit.AuditBacklog;
import coral.audit.AuditLog;
import coral.audit.AuditQueue;
import coral.audit.AuditRecord;
import coral.audit.AuditSigner;
import coral.audit.JournaledEvent;
import coral.audit.RepeatedEvents;
import coral.certificate.Authority;
import coral.files.Pem;
import coral.model.AuditEvent.Kind;
import coral.model.AuditSink;
import coral.storage.AuditTable;
import coral.storage.DuckDbFile;
import coral.storage.Projection;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.UniqueKillSwitch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The audit log of a colony: its actor, on the node that has the file open; what comes into it from
 * the journals; and the way in for everybody else.
 */
final class ColonyAudit {
  private static final Logger audit = LoggerFactory.getLogger("coral.audit");

  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  /** How much later than its minute a number of repeats is recorded, at most. */
  private static final Duration SWEEP_INTERVAL = Duration.ofSeconds(10);

  /**
   * What callers cause as often as they like and without changing anything: each of it is recorded
   * once a minute, with how often it was.
   */
  private static final Set<Kind> REPEATED =
      EnumSet.of(
          Kind.ROLE_USED,
          Kind.CALL_REFUSED,
          Kind.REGISTRATION_REFUSED,
          Kind.AUTHENTICATION_WEAKENED);

  private final ActorSystem<?> system;
  private final ActorRef<AuditLog.Command> log;
  private final AuditTable table;
  private final RepeatedEvents sink;
  private final Executor blocking;
  private final List<Projection> journals;

  private ColonyAudit(
      ActorSystem<?> system,
      ColonySettings settings,
      ActorRef<AuditLog.Command> log,
      AuditTable table,
      RepeatedEvents sink,
      AuditMapping mapping,
      Executor blocking) {
    this.system = system;
    this.log = log;
    this.table = table;
    this.sink = sink;
    this.blocking = blocking;
    this.journals =
        List.of(
            // As the certificate issuer names its journal.
            projection("certificates-" + settings.colonyId(), mapping),
            projection(IpAllocator.PERSISTENCE_ID, mapping));
  }

  /**
   * Starts the log's actor, which reads the end of the log in the background.
   *
   * @param authority signs the roots
   * @param hub knows the mesh addresses of members
   */
  static ColonyAudit start(
      ActorSystem<?> system,
      ColonySettings settings,
      DuckDbFile file,
      Authority authority,
      Hub hub,
      InstantSource clock,
      Executor blocking) {
    AuditTable table = new AuditTable(file);
    AuditBacklog backlog = new AuditBacklog(clock);
    ColonyMetrics metrics = ColonyMetrics.of(system);
    metrics.watch(backlog);
    ActorRef<AuditLog.Command> log =
        system.systemActorOf(
            AuditLog.create(
                new AuditStorage(table),
                settings.colonyId(),
                text -> signed(authority, text),
                clock,
                blocking,
                backlog,
                record -> recorded(record, metrics)),
            "audit-log",
            Props.empty());
    AuditMapping mapping = new AuditMapping(settings.subnet(), hub::hostNumber);
    RepeatedEvents sink =
        new RepeatedEvents(
            mapping.locating(new AuditQueue(log, backlog, clock, system.scheduler())),
            REPEATED,
            clock);
    system
        .scheduler()
        .scheduleWithFixedDelay(
            SWEEP_INTERVAL, SWEEP_INTERVAL, sink::sweep, system.executionContext());
    return new ColonyAudit(system, settings, log, table, sink, mapping, blocking);
  }

  private static void recorded(AuditRecord record, ColonyMetrics metrics) {
    AuditMapping.kind(record.kind()).ifPresent(metrics::recorded);
    if (record.kind().equals(Kind.AUTHENTICATION_WEAKENED.wireName())) {
      audit.warn(
          "ALARM agent={} source={}: {}",
          record.subject(),
          record.sourceAddress(),
          record.detail());
    }
  }

  private static AuditSigner.Signed signed(Authority authority, byte[] text) {
    Authority.Signature signature = authority.sign(text);
    return new AuditSigner.Signed(signature.bytes(), Pem.encode(signature.chain()));
  }

  /** Where everybody tells of what has to be found later. */
  AuditSink sink() {
    return sink;
  }

  /** The log as it is read. */
  AuditReading reading() {
    return new AuditReading(table, log, system.scheduler(), blocking);
  }

  /**
   * Records what the journals hold by now.
   *
   * @return fails with a message for people if the log cannot be read, or its end is not what was
   *     recorded
   */
  CompletionStage<Long> catchUp() {
    CompletionStage<Long> events = CompletableFuture.completedStage(0L);
    for (Projection journal : journals) {
      events = events.thenCompose(before -> journal.catchUp().thenApply(now -> before + now));
    }
    return events;
  }

  /** Follows the journals until the colony stops, and records then what was left. */
  void follow(StopSteps stopping, Duration stopTimeout) {
    List<Pair<UniqueKillSwitch, CompletionStage<Done>>> following =
        journals.stream().map(Projection::follow).toList();
    stopping.push(
        "audit log",
        () -> {
          for (Pair<UniqueKillSwitch, CompletionStage<Done>> each : following) {
            each.first().shutdown();
            Steps.await(each.second(), stopTimeout);
          }
          Steps.await(catchUp(), stopTimeout);
          sink.end();
          Steps.await(ask(AuditLog.Flush::new), stopTimeout);
        });
  }

  private Projection projection(String journal, AuditMapping mapping) {
    return new Projection(
        system,
        journal,
        new Projection.Target() {
          @Override
          public long appliedUpTo() throws IOException {
            AuditLog.Reply reply =
                Steps.await(ask(replyTo -> new AuditLog.FindPosition(journal, replyTo)), TIMEOUT);
            return reply instanceof AuditLog.Position position ? position.sequenceNumber() : 0;
          }

          @Override
          public void apply(List<Projection.JournalEvent> events) throws IOException {
            List<JournaledEvent> meanings = events.stream().map(mapping::of).toList();
            Steps.await(
                ask(replyTo -> new AuditLog.AppendJournaled(journal, meanings, replyTo)), TIMEOUT);
          }
        });
  }

  private CompletionStage<AuditLog.Reply> ask(
      Function<ActorRef<AuditLog.Reply>, AuditLog.Command> question) {
    return AskPattern.<AuditLog.Command, AuditLog.Reply>ask(
            log, question::apply, TIMEOUT, system.scheduler())
        .thenApply(ColonyAudit::granted);
  }

  private static AuditLog.Reply granted(AuditLog.Reply reply) {
    if (reply instanceof AuditLog.Refusal refusal) {
      throw refusal.refused().toException();
    }
    return reply;
  }
}
