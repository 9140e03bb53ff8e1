package coral.bench;

import com.typesafe.config.ConfigFactory;
import coral.certificate.Authority;
import coral.certificate.BlockedKeys;
import coral.certificate.CertificateAuthority;
import coral.certificate.CertificateAuthority.Command;
import coral.certificate.CertificateAuthority.Issued;
import coral.certificate.CertificateAuthority.Reply;
import coral.certificate.CertificateIndex;
import coral.certificate.CertificateRequests;
import coral.certificate.CertificateSettings;
import coral.certificate.KeyType;
import coral.certificate.Origin;
import coral.certificate.Payment;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.storage.DuckDbFile;
import java.io.IOException;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/**
 * A whole fleet that enrols and then renews at once: the authority with its journal in a real file,
 * as a colony has it. Measured to the last durable answer.
 */
final class EnrolmentBenchmark implements Benchmark {
  private static final ColonyId COLONY = new ColonyId("bench-test-a1b2c3");
  private static final Duration TIMEOUT = Duration.ofMinutes(1);
  private static final int AT_ONCE = 64;
  private static final int FLEET = 10_000;

  /** With less than the usual time for a measurement there is less to do. */
  private static final int AGENTS_PER_SECOND = 2_000;

  @Override
  public List<Measurement> run(Path directory, Duration time) throws Exception {
    int agents = Math.toIntExact(Math.min(FLEET, AGENTS_PER_SECOND * time.toSeconds()));
    List<Measurement> lines = new ArrayList<>();
    lines.addAll(fleet(directory, KeyType.P_256, agents));
    lines.addAll(fleet(directory, KeyType.RSA_4096, agents));
    return lines;
  }

  private static List<Measurement> fleet(Path directory, KeyType type, int agents)
      throws IOException, InterruptedException {
    Authority authority = Authority.create(COLONY, InstantSource.system(), type);
    CertificateIndex index =
        new CertificateIndex(COLONY, authority::signedClient, InstantSource.system());
    List<byte[]> first = requests(agents);
    List<byte[]> second = requests(agents);
    ExecutorService signing =
        Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
    try (DuckDbFile file = DuckDbFile.open(directory.resolve(type + ".duckdb"))) {
      ActorSystem<Command> system =
          ActorSystem.create(
              CertificateAuthority.create(
                  authority,
                  new CertificateSettings(Duration.ofDays(90), 100_000),
                  BlockedKeys.none(),
                  index,
                  file.path().toString(),
                  InstantSource.system(),
                  signing),
              "enrolment",
              file.persistenceConfig().withFallback(ConfigFactory.load()));
      try {
        List<Issued> issued = new ArrayList<>();
        double enrolment =
            seconds(
                () ->
                    issued.addAll(
                        all(
                            agents,
                            agent ->
                                issue(
                                    system, agent, first.get(agent), new Payment.ColonySecret()))));
        double renewal =
            seconds(
                () ->
                    all(
                        agents,
                        agent ->
                            issue(
                                system,
                                agent,
                                second.get(agent),
                                new Payment.Certificate(issued.get(agent).serial()))));
        String what = "%,d agents, authority of %s: ".formatted(agents, type);
        return List.of(
            Measurement.of(what + "enrolled", enrolment, "s"),
            Measurement.of(what + "re-enrolled", renewal, "s"),
            Measurement.of("  certificates, durable", agents / renewal, "/s"));
      } finally {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().join();
      }
    } finally {
      signing.shutdown();
      signing.awaitTermination(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
    }
  }

  private interface Enrolment {
    Issued of(int agent);
  }

  /** As many at once as agents would, the answers in the agents' order. */
  private static List<Issued> all(int agents, Enrolment enrolment) throws InterruptedException {
    AtomicInteger next = new AtomicInteger();
    Issued[] issued = new Issued[agents];
    Callable<Integer> client =
        () -> {
          int agent = next.getAndIncrement();
          while (agent < agents) {
            issued[agent] = enrolment.of(agent);
            agent = next.getAndIncrement();
          }
          return agent;
        };
    Joining.all(AT_ONCE, Collections.nCopies(AT_ONCE, client));
    return List.of(issued);
  }

  private static Issued issue(
      ActorSystem<Command> authority, int agent, byte[] csr, Payment payment) {
    Reply reply =
        AskPattern.<Command, Reply>ask(
                authority,
                replyTo ->
                    new CertificateAuthority.Issue(
                        new AgentId("agent-" + agent),
                        csr,
                        payment,
                        Optional.empty(),
                        new Origin(Origin.ANYONE, "127.0.0.1", ""),
                        replyTo),
                TIMEOUT,
                authority.scheduler())
            .toCompletableFuture()
            .join();
    if (reply instanceof Issued issued) {
      return issued;
    }
    throw new IllegalStateException("agent-" + agent + ": " + reply);
  }

  private interface Work {
    void run() throws InterruptedException;
  }

  private static double seconds(Work work) throws InterruptedException {
    long began = System.nanoTime();
    work.run();
    return (System.nanoTime() - began) / 1e9;
  }

  /** Made before: agents make their own keys, each on its own host. */
  private static List<byte[]> requests(int agents) throws InterruptedException {
    List<KeyPair> keys = Joining.keys(KeyType.P_256, agents);
    List<byte[]> requests = new ArrayList<>();
    for (int agent = 0; agent < agents; agent++) {
      requests.add(CertificateRequests.create(new AgentId("agent-" + agent), keys.get(agent)));
    }
    return requests;
  }
}
