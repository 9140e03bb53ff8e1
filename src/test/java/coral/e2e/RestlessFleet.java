package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.model.AgentId;
import coral.model.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** Agents that never rest, by a few threads, and what was refused to them. */
final class RestlessFleet implements RestlessAgent.Witness, AutoCloseable {
  private static final int WORKERS = 3;
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private final Endpoint endpoint;
  private final ActorSystem<Void> system =
      ActorSystem.create(Behaviors.empty(), "restless", ConfigFactory.load());
  private final List<RestlessAgent> agents = new CopyOnWriteArrayList<>();
  private final Queue<String> refusals = new ConcurrentLinkedQueue<>();
  private final AtomicLong answered = new AtomicLong();
  private final AtomicLong longestGapMillis = new AtomicLong();
  private final List<Thread> workers = new ArrayList<>();

  /** Each worker's rounds over its agents; guarded by itself, which is notified of each. */
  private final long[] rounds = new long[WORKERS];

  /** Guarded by {@link #rounds}. */
  private boolean resting;

  private volatile boolean down;
  private volatile boolean stopped;

  RestlessFleet(Endpoint endpoint) {
    this.endpoint = endpoint;
  }

  /** One more, which has joined when this returns. */
  void join(String agentId, String invitation) throws Exception {
    agents.add(RestlessAgent.join(new AgentId(agentId), invitation, endpoint, system, this));
  }

  void start() {
    for (int i = 0; i < WORKERS; i++) {
      int worker = i;
      Thread thread = new Thread(() -> work(worker), "restless-" + i);
      workers.add(thread);
      thread.start();
    }
  }

  private void work(int worker) {
    while (goesOn()) {
      for (int i = worker; i < agents.size() && !stopped; i += WORKERS) {
        agents.get(i).act();
      }
      synchronized (rounds) {
        rounds[worker]++;
        rounds.notifyAll();
      }
    }
  }

  /** Waits while the colony is known to be down: three busy threads would slow its start. */
  private boolean goesOn() {
    synchronized (rounds) {
      while (resting && !stopped) {
        try {
          rounds.wait();
        } catch (InterruptedException e) {
          return false;
        }
      }
      return !stopped;
    }
  }

  /** Has the workers rest after what they do now, or go on. */
  void rest(boolean yes) {
    synchronized (rounds) {
      resting = yes;
      rounds.notifyAll();
    }
  }

  /** Waits until every agent has acted at least so many times more. */
  void awaitRounds(int count) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    synchronized (rounds) {
      long[] wanted = rounds.clone();
      for (int worker = 0; worker < WORKERS; worker++) {
        while (rounds[worker] <= wanted[worker] + count) { // one is under way
          long left = deadline - System.nanoTime();
          assertTrue(left > 0, "the agents have come to rest: " + refusals);
          TimeUnit.NANOSECONDS.timedWait(rounds, left);
        }
      }
    }
  }

  /** Whether connections may fail now: the colony is to be killed, or is not ready yet. */
  void expectOutage(boolean expected) {
    down = expected;
  }

  List<RestlessAgent> agents() {
    return agents;
  }

  /** How far each is. */
  String standing() {
    return agents.stream().map(RestlessAgent::standing).toList().toString();
  }

  List<String> refusals() {
    return List.copyOf(refusals);
  }

  long answeredCalls() {
    return answered.get();
  }

  long longestGapMillis() {
    return longestGapMillis.get();
  }

  @Override
  public void answered() {
    answered.incrementAndGet();
  }

  @Override
  public void refused(String what) {
    refusals.add(what);
  }

  @Override
  public void reopened(Duration after) {
    longestGapMillis.accumulateAndGet(after.toMillis(), Math::max);
  }

  @Override
  public boolean isDown() {
    return down;
  }

  /** Lets each come to the end of what it does. */
  void stop() throws InterruptedException {
    stopped = true;
    rest(false);
    for (Thread worker : workers) {
      worker.join(PATIENCE.toMillis());
    }
  }

  @Override
  public void close() throws InterruptedException {
    stop();
    agents.forEach(RestlessAgent::close);
    system.terminate();
    system.getWhenTerminated().toCompletableFuture().join();
  }
}
