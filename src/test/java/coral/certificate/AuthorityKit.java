package coral.certificate;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.certificate.CertificateAuthority.Command;
import coral.certificate.CertificateAuthority.Issue;
import coral.certificate.CertificateAuthority.Reply;
import coral.model.AgentId;
import java.security.KeyPair;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.persistence.testkit.PersistenceTestKitPlugin;
import org.apache.pekko.persistence.testkit.javadsl.PersistenceTestKit;

/** A certificate authority on a journal that fails when a test says so. */
final class AuthorityKit implements AutoCloseable {
  static final String STORE = "/colony.duckdb";
  static final String JOURNAL = CertificateAuthority.persistenceId(Roots.COLONY);

  /** The journal serializes what it is given, as the real one does. */
  private static final Config CONFIG =
      ConfigFactory.parseString(
              """
              pekko.actor.serialization-bindings { "coral.model.JournalRecord" = jackson-cbor }
              pekko.actor.allow-java-serialization = off
              pekko.loglevel = WARNING
              """)
          .withFallback(PersistenceTestKitPlugin.getInstance().config())
          .withFallback(ConfigFactory.defaultReference());

  final ActorTestKit kit = ActorTestKit.create("certificates", CONFIG);
  final PersistenceTestKit journal = PersistenceTestKit.create(kit.system());
  final TestProbe<Reply> probe = kit.createTestProbe();
  final ExecutorService threads = Executors.newFixedThreadPool(2);
  final CertificateIndex index =
      new CertificateIndex(Roots.COLONY, Roots.QUICK::signedClient, Roots.CLOCK);

  /**
   * An authority on the journal.
   *
   * @param places for strangers, and as many for members
   */
  ActorRef<Command> authority(Executor signing, int places) {
    CertificateSettings settings =
        new CertificateSettings(Duration.ofDays(90), 100, places, List.of(), Optional.empty());
    return kit.spawn(
        CertificateAuthority.create(
            Roots.QUICK, settings, BlockedKeys.none(), index, STORE, Roots.CLOCK, signing));
  }

  /** A request with a proof of the key, from a stranger or from the holder of a certificate. */
  static Issue request(AgentId agentId, KeyPair keys, Payment payment, TestProbe<Reply> replyTo) {
    return new Issue(
        agentId,
        CertificateRequests.create(agentId, keys),
        payment,
        Optional.empty(),
        new Origin(
            payment instanceof Payment.Certificate ? "agent/" + agentId : Origin.ANYONE,
            "10.0.0.1",
            ""),
        replyTo.ref());
  }

  @Override
  public void close() {
    threads.shutdownNow();
    kit.shutdownTestKit();
  }
}
