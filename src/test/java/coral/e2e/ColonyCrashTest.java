package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.e2e.WitnessAgent.Address;
import coral.e2e.WitnessAgent.Request;
import coral.model.AgentId;
import coral.rpc.RpcException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A colony process that is killed (SIGKILL) at random moments while agents get certificates,
 * register, change keys and leave. What it acknowledged before is there after it is started again;
 * what it did not is done or not done, and a retry says which. The audit log has each address that
 * was ever given once, in an unbroken chain. What the machine itself loses with its power is not
 * shown here: the page cache outlives the process.
 *
 * <p>Who kills when is repeated by {@code -Dcoral.crash.seed=N}; how the processes interleave is
 * not.
 */
class ColonyCrashTest {
  private static final InstantSource CLOCK = InstantSource.system();

  private static final int KILLS_WORKING = 20;
  private static final int KILLS_STARTING = 3;
  private static final int KILLS_STOPPING = 3;

  private static final int WORKERS = 8;
  private static final int AGENTS_PER_WORKER = 40;

  /** Old enough for a library to be removed by the next start. */
  private static final Duration STALE = Duration.ofHours(1);

  /** When the colony is killed. */
  private enum Moment {
    WORKING,
    /** Before it is ready: while it reads its journal. */
    STARTING,
    /** After SIGTERM, while it closes its file. */
    STOPPING
  }

  @TempDir Path directory;

  private final long seed = Long.getLong("coral.crash.seed", new Random().nextLong());
  private final Random random = new Random(seed);
  private final ExecutorService workers = Executors.newFixedThreadPool(WORKERS);
  private final ScheduledExecutorService killer = Executors.newSingleThreadScheduledExecutor();
  private final List<List<WitnessAgent>> agents = new ArrayList<>();
  private final ConcurrentHashMap<Request, Integer> acknowledged = new ConcurrentHashMap<>();
  private final AtomicInteger unanswered = new AtomicInteger();
  private final AtomicInteger unansweredAndDone = new AtomicInteger();
  private final AtomicInteger unansweredAndNotDone = new AtomicInteger();
  private final List<Long> startMillis = new ArrayList<>();
  private @Nullable ColonyInstallation installation;
  private @Nullable ChildProcess running;

  /** What the workers of one run of the colony share. */
  private final class Run {
    private final ChildProcess colony;
    private final AtomicInteger left;
    private final Runnable end;
    private final long delayMicros = random.nextInt(5_000);
    private volatile boolean ending;

    /**
     * @param acknowledgements after which, and a random moment, {@code end} is called
     */
    Run(ChildProcess colony, int acknowledgements, Runnable end) {
      this.colony = colony;
      this.left = new AtomicInteger(acknowledgements);
      this.end = end;
    }

    void acknowledged(Request request) {
      acknowledged.merge(request, 1, Integer::sum);
      if (left.decrementAndGet() == 0) {
        killLater(
            () -> {
              ending = true;
              end.run();
            },
            delayMicros);
      }
    }

    /** One worker: until the colony is gone, and not a request longer. */
    void work(List<WitnessAgent> own, int worker, Random choice) {
      WitnessAgent agent = own.get(0);
      try {
        while (!ending) {
          agent = next(own, worker, choice);
          acknowledged(agent.act(choice));
        }
      } catch (RpcException e) {
        // Nobody but the one who ends the colony makes requests fail.
        if (!ending) {
          throw new AssertionError(
              agent.id() + ": " + e.getMessage() + message() + colony.log(), e);
        }
      }
    }

    private WitnessAgent next(List<WitnessAgent> own, int worker, Random choice) {
      if (own.size() < AGENTS_PER_WORKER && choice.nextInt(4) == 0) {
        own.add(agent(worker, own.size()));
      }
      // The newest has work to do; the others take turns.
      return own.get(choice.nextBoolean() ? own.size() - 1 : choice.nextInt(own.size()));
    }
  }

  private String message() {
    return ", seed " + seed + "\n";
  }

  private WitnessAgent agent(int worker, int number) {
    return new WitnessAgent(new AgentId("agent-" + worker + "-" + number), installation());
  }

  private ColonyInstallation installation() {
    return Objects.requireNonNull(installation);
  }

  @BeforeEach
  void makeColony() throws IOException {
    installation = ColonyInstallation.in(directory);
    for (int worker = 0; worker < WORKERS; worker++) {
      agents.add(new ArrayList<>(List.of(agent(worker, 0))));
    }
  }

  @AfterEach
  void endColony() throws InterruptedException {
    killer.shutdownNow();
    workers.shutdownNow();
    if (running != null) {
      running.kill();
      running.awaitExit();
    }
  }

  @Test
  @Timeout(900)
  void acknowledgedAddressesAndCertificatesOutliveAnyKill() throws Exception {
    System.out.println(getClass().getSimpleName() + " seed " + seed);
    ChildProcess first = start();
    ready(first);
    work(new Run(first, 50, first::terminate));
    assertEquals(0, first.awaitExit(), () -> first.log() + message());

    int kills = 0;
    for (Moment moment : moments()) {
      kills += round(moment) == ChildProcess.KILLED ? 1 : 0;
    }
    assertTrue(kills >= KILLS_WORKING, kills + " kills" + message());
    // Otherwise the kills came when nothing was under way, and show nothing.
    assertTrue(unanswered.get() >= kills, unanswered + " unanswered" + message());

    ChildProcess last = start();
    last.awaitLine(ColonyInstallation.READY);
    compareAndSettle(true);
    Map<String, Address> held = listed();
    last.terminate();
    assertEquals(0, last.awaitExit(), () -> last.log() + message());
    assertEquals(
        HeldAddresses.ipv4(held),
        HeldAddresses.inTable(installation().files().directory()),
        () -> "the table" + message());
    try (AuditedJournal journal =
        new AuditedJournal(installation().files(), HeldAddresses.SUBNET)) {
      int given = journal.requireEachAddressOnce(message());
      report(kills, held.size(), given);
    }
  }

  private void killLater(Runnable kill, long micros) {
    var unused = killer.schedule(kill, micros, TimeUnit.MICROSECONDS);
  }

  private List<Moment> moments() {
    List<Moment> moments = new ArrayList<>();
    moments.addAll(Collections.nCopies(KILLS_WORKING, Moment.WORKING));
    moments.addAll(Collections.nCopies(KILLS_STARTING, Moment.STARTING));
    moments.addAll(Collections.nCopies(KILLS_STOPPING, Moment.STOPPING));
    Collections.shuffle(moments, random);
    return moments;
  }

  /** One run of the colony. Returns its exit code. */
  private int round(Moment moment) throws Exception {
    ChildProcess colony = start();
    switch (moment) {
      case STARTING -> {
        long usual = startMillis.get(startMillis.size() - 1);
        long delay = usual / 4 + random.nextInt((int) usual);
        killer.schedule(colony::kill, delay, TimeUnit.MILLISECONDS).get();
      }
      case WORKING -> {
        ready(colony);
        work(new Run(colony, 1 + random.nextInt(80), colony::kill));
      }
      case STOPPING -> {
        ready(colony);
        long delay = random.nextInt(1_000_000);
        Runnable stopThenKill =
            () -> {
              colony.terminate();
              killLater(colony::kill, delay);
            };
        work(new Run(colony, 1 + random.nextInt(80), stopThenKill));
      }
    }
    int exitCode = colony.awaitExit();
    assertEquals(List.of(), colony.errors(), () -> moment + message() + colony.log());
    return exitCode;
  }

  /** Starts the colony, and makes what its predecessors left look old. */
  private ChildProcess start() throws IOException {
    installation().runtime().ageUnpackedLibraries(CLOCK.instant().minus(STALE));
    ChildProcess colony = installation().start();
    running = colony;
    return colony;
  }

  private void ready(ChildProcess colony) throws Exception {
    long begin = System.nanoTime();
    colony.awaitLine(ColonyInstallation.READY);
    startMillis.add((System.nanoTime() - begin) / 1_000_000);
    assertEquals(
        List.of(),
        installation().runtime().unpackedLibraries(),
        () -> "libraries are left" + message());
    compareAndSettle(false);
  }

  /** Lets all workers work until the colony has ended. */
  private void work(Run run) throws Exception {
    forEachWorker(
        (worker, choice) -> {
          run.work(agents.get(worker), worker, choice);
          return null;
        });
  }

  /**
   * Finds what was acknowledged, then has the agents repeat what was not.
   *
   * @param everybody whether all agents show all their certificates, not only those with new ones
   *     and a few others
   */
  private void compareAndSettle(boolean everybody) throws Exception {
    Map<String, Address> allocations = listed();
    Set<String> known = new HashSet<>();
    for (List<WitnessAgent> own : agents) {
      for (WitnessAgent agent : own) {
        known.add(agent.id().value());
        agent.compare(allocations);
        unanswered.addAndGet(agent.unanswered().isPresent() ? 1 : 0);
      }
    }
    assertTrue(known.containsAll(allocations.keySet()), () -> "agents of nobody" + message());
    forEachWorker(
        (worker, choice) -> {
          for (WitnessAgent agent : agents.get(worker)) {
            agent
                .retry(allocations)
                .ifPresent(
                    done -> (done ? unansweredAndDone : unansweredAndNotDone).incrementAndGet());
            if (everybody || agent.hasNewCertificate() || choice.nextInt(20) == 0) {
              agent.confirm();
            }
          }
          return null;
        });
    Map<String, Address> settled = listed();
    for (List<WitnessAgent> own : agents) {
      for (WitnessAgent agent : own) {
        assertFalse(agent.unanswered().isPresent(), agent.id() + message());
        agent.compare(settled);
      }
    }
  }

  /** Who holds what, as the colony tells its administrator. */
  private Map<String, Address> listed() throws IOException, RpcException {
    return HeldAddresses.listed(installation().administrator());
  }

  /** What one worker does with its own agents. */
  private interface Work {
    @Nullable Void run(int worker, Random choice) throws RpcException;
  }

  private void forEachWorker(Work work) throws Exception {
    List<Future<Void>> results = new ArrayList<>();
    for (int i = 0; i < WORKERS; i++) {
      int worker = i;
      Random choice = new Random(random.nextLong());
      results.add(workers.submit(() -> work.run(worker, choice)));
    }
    for (Future<Void> result : results) {
      try {
        result.get(180, TimeUnit.SECONDS);
      } catch (ExecutionException e) {
        throw new AssertionError(e.getCause() + message(), e);
      }
    }
  }

  private void report(int kills, int held, int audited) {
    long[] sorted = startMillis.stream().mapToLong(Long::longValue).sorted().toArray();
    int certificates =
        agents.stream().flatMap(List::stream).mapToInt(WitnessAgent::certificates).sum();
    System.out.printf(
        "%d kills; acknowledged %s; %d certificates shown; %d agents hold an address; %d addresses"
            + " given, each in the audit log once; unanswered"
            + " %d, of these found done %d, not done %d; start median %d ms, longest %d ms%n",
        kills,
        acknowledged,
        certificates,
        held,
        audited,
        unanswered.get(),
        unansweredAndDone.get(),
        unansweredAndNotDone.get(),
        sorted[sorted.length / 2],
        sorted[sorted.length - 1]);
  }
}
