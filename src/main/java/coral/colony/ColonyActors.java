package coral.colony;

import coral.address.AllocationChange;
import coral.address.IpAllocator;
import coral.certificate.Authority;
import coral.certificate.BlockedKeys;
import coral.certificate.CertificateAuthority;
import coral.certificate.CertificateIndex;
import coral.model.AgentId;
import coral.model.AuditSink;
import coral.model.Failure;
import coral.session.AgentSession;
import coral.session.ConnectionDirectory;
import coral.session.PresenceDirectory;
import coral.storage.AllocationReadModel;
import coral.storage.DuckDbFile;
import coral.storage.StoreException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.cluster.typed.SingletonActor;

/**
 * The actors of a colony: those of which the cluster has one, and the sharded sessions.
 *
 * @param certificates what the authority has issued, for questions that cannot wait for an actor
 * @param blocking where calls that block may run
 */
record ColonyActors(
    ActorSystem<Void> system,
    AllocatorClient allocator,
    ActorRef<CertificateAuthority.Command> certificateAuthority,
    CertificateIndex certificates,
    ActorRef<PresenceDirectory.Command> directory,
    ActorRef<ConnectionDirectory.Command> connections,
    ClusterSharding sharding,
    Executor blocking) {

  /** Makes the system a cluster of one, and waits until it is. */
  static void formCluster(ActorSystem<?> system, Duration timeout) throws IOException {
    Cluster cluster = Cluster.get(system);
    cluster.manager().tell(Join.create(cluster.selfMember().address()));
    CompletableFuture<Done> up = new CompletableFuture<>();
    org.apache.pekko.cluster.Cluster.get(system)
        .registerOnMemberUp(() -> up.complete(Done.getInstance()));
    Steps.await(up, timeout);
  }

  /**
   * Starts them; they read their journals in the background.
   *
   * @param blocked keys that get no certificate
   * @param afterCommit hears of each durable change of an address, before its answer
   * @param sink hears of what an audit has to find
   */
  static ColonyActors start(
      ActorSystem<Void> system,
      ColonySettings settings,
      Authority authority,
      BlockedKeys blocked,
      DuckDbFile file,
      AllocationReadModel readModel,
      Consumer<AllocationChange> afterCommit,
      AuditSink sink,
      InstantSource clock) {
    Executor blocking = blocking(system);
    ClusterSingleton singletons = ClusterSingleton.get(system);
    CertificateIndex certificates =
        new CertificateIndex(settings.colonyId(), authority::signedClient, clock);
    ActorRef<CertificateAuthority.Command> certificateAuthority =
        singletons.init(
            SingletonActor.of(
                CertificateAuthority.create(
                    authority,
                    settings.certificates(),
                    blocked,
                    certificates,
                    file.path().toString(),
                    clock,
                    dispatcher(system, "signing-dispatcher")),
                "certificate-authority"));
    ActorRef<IpAllocator.Command> allocator =
        singletons.init(
            SingletonActor.of(
                IpAllocator.create(
                    settings.subnet(),
                    clock,
                    IpAllocator.Settings.of(file.path().toString()),
                    afterCommit),
                "ip-allocator"));
    ActorRef<PresenceDirectory.Command> directory =
        singletons.init(
            SingletonActor.of(
                PresenceDirectory.create(batch -> touch(readModel, batch, blocking)),
                "presence-directory"));
    ActorRef<ConnectionDirectory.Command> connections =
        singletons.init(
            SingletonActor.of(
                ConnectionDirectory.create(settings.heartbeatInterval(), clock),
                "connection-directory"));
    ClusterSharding sharding = ClusterSharding.get(system);
    sharding.init(
        Entity.of(
                AgentSession.TYPE,
                entity ->
                    AgentSession.create(
                        new AgentId(entity.getEntityId()),
                        settings.heartbeatInterval(),
                        clock,
                        sink,
                        directory,
                        connections,
                        entity.getShard()))
            .withStopMessage(new AgentSession.Stop()));
    return new ColonyActors(
        system,
        new AllocatorClient(allocator, system),
        certificateAuthority,
        certificates,
        directory,
        connections,
        sharding,
        blocking);
  }

  /** Where calls that block may run. */
  static Executor blocking(ActorSystem<?> system) {
    return dispatcher(system, "blocking-dispatcher");
  }

  /** Where answers to strangers of the revocation port are signed. */
  static Executor answering(ActorSystem<?> system) {
    return dispatcher(system, "ocsp-dispatcher");
  }

  /** Where echos to agents wait for their answers. */
  static Executor pinging(ActorSystem<?> system) {
    return dispatcher(system, "ping-dispatcher");
  }

  /** How edges ask the certificate authority. */
  AuthorityClient authority() {
    return new AuthorityClient(certificateAuthority, system);
  }

  private static Executor dispatcher(ActorSystem<?> system, String name) {
    return system.dispatchers().lookup(DispatcherSelector.fromConfig("coral.colony." + name));
  }

  private static CompletionStage<Done> touch(
      AllocationReadModel readModel, Map<AgentId, Instant> batch, Executor blocking) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            readModel.touch(batch);
            return Done.getInstance();
          } catch (StoreException e) {
            throw new CompletionException(e);
          }
        },
        blocking);
  }

  /**
   * Completes when the authority has read its journal, with the number of certificates that agents
   * may use; fails with the authority's words if it cannot read it.
   */
  CompletionStage<Integer> certificatesRead(Duration timeout) {
    return AskPattern.<CertificateAuthority.Command, CertificateAuthority.Reply>ask(
            certificateAuthority,
            replyTo -> new CertificateAuthority.Status(new AgentId("nobody"), replyTo),
            timeout,
            system.scheduler())
        .thenApply(
            reply -> {
              if (reply instanceof CertificateAuthority.Refusal refusal
                  && refusal.refused().failure() != Failure.NOT_FOUND) {
                throw refusal.refused().toException();
              }
              if (!certificates.isComplete()) {
                throw new IllegalStateException("the certificates are not read to their end");
              }
              return certificates.size();
            });
  }

  /** Writes down when agents were last seen, before the colony stops. */
  CompletionStage<PresenceDirectory.Flushed> flushLastSeen(Duration timeout) {
    return AskPattern.ask(directory, PresenceDirectory.Flush::new, timeout, system.scheduler());
  }
}
