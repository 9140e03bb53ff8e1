package coral.bench;

import coral.certificate.KeyType;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Whole joins: a TLS handshake, RequestCertificate, an mTLS handshake, Register. The agents' key
 * pairs are made before, as each agent makes its own, but both sides of the handshakes share this
 * machine.
 */
final class JoinBenchmark implements Benchmark {
  /** Making one takes a tenth of a second. */
  private static final int RSA_KEYS = 100;

  private static final int P_256_KEYS_PER_SECOND = 400;

  @Override
  public List<Measurement> run(Path directory, Duration time) throws Exception {
    try (ColonyChild colony = ColonyChild.start(ColonyChild.create(directory))) {
      Joining joining = new Joining(colony);
      int count = Math.toIntExact(P_256_KEYS_PER_SECOND * time.toSeconds());
      joins(joining, "warm", Joining.keys(KeyType.P_256, count), time);
      double p256 = joins(joining, "p256", Joining.keys(KeyType.P_256, count), time);
      double rsa = joins(joining, "rsa", Joining.keys(KeyType.RSA_2048, RSA_KEYS), time);
      return List.of(
          Measurement.of("full joins, agent key P-256, 16 at once", p256, "/s"),
          Measurement.of("full joins, agent key RSA-2048, 16 at once", rsa, "/s"));
    }
  }

  /** Ends when the time is over or every key has joined. */
  private static double joins(Joining joining, String name, List<KeyPair> keys, Duration time)
      throws InterruptedException {
    long began = System.nanoTime();
    long end = began + time.toNanos();
    AtomicInteger next = new AtomicInteger();
    List<Callable<Integer>> agents = new ArrayList<>();
    for (int i = 0; i < Joining.AT_ONCE; i++) {
      agents.add(
          () -> {
            int joined = 0;
            while (System.nanoTime() < end) {
              int agent = next.getAndIncrement();
              if (agent >= keys.size()) {
                break;
              }
              joining.register(joining.certificate(name + "-" + agent, keys.get(agent)));
              joined++;
            }
            return joined;
          });
    }
    int joined = Joining.all(Joining.AT_ONCE, agents).stream().mapToInt(Integer::intValue).sum();
    return joined * 1e9 / (System.nanoTime() - began);
  }
}
