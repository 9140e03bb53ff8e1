package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.api.colony.v1.Agent;
import coral.api.colony.v1.WatchAgentsResponse;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.session.PresenceDirectory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class AgentChangesTest {
  private static final ActorTestKit kit =
      ActorTestKit.create(ManualTime.config().withFallback(ConfigFactory.load()));
  private static final Duration MOMENT = Duration.ofMillis(1);

  /** Somebody who reads, as long as there is room. */
  private static final class Reader implements AgentChanges.Watcher {
    final BlockingQueue<WatchAgentsResponse> told;
    final CompletableFuture<RefusedException> failed = new CompletableFuture<>();

    Reader(int room) {
      told = new LinkedBlockingQueue<>(room);
    }

    @Override
    public boolean offer(WatchAgentsResponse changes) {
      return told.offer(changes);
    }

    @Override
    public void fail(RefusedException reason) {
      failed.complete(reason);
    }
  }

  private final ManualTime time = ManualTime.get(kit.system());
  private final TestProbe<PresenceDirectory.Command> directory = kit.createTestProbe();
  private final Map<AgentId, Agent> members = new ConcurrentHashMap<>();
  private final List<Set<AgentId>> looks = new CopyOnWriteArrayList<>();
  private volatile boolean storeIsAway;
  private final ActorRef<AgentChanges.Command> changes =
      kit.spawn(
          AgentChanges.create(
              directory.ref(),
              agentIds -> {
                looks.add(agentIds);
                if (storeIsAway) {
                  return CompletableFuture.failedFuture(
                      new RefusedException(Failure.STORE_UNAVAILABLE, "the file is away"));
                }
                Map<AgentId, Agent> found = new HashMap<>(members);
                found.keySet().retainAll(agentIds);
                return CompletableFuture.completedFuture(found);
              }));

  @AfterAll
  static void stop() {
    kit.shutdownTestKit();
  }

  private boolean watch(AgentChanges.Watcher watcher) {
    TestProbe<AgentChanges.Accepted> accepted = kit.createTestProbe();
    changes.tell(new AgentChanges.Watch(watcher, accepted.ref()));
    return accepted.receiveMessage().watching();
  }

  private ActorRef<PresenceDirectory.Changed> subscription() {
    return directory.expectMessageClass(PresenceDirectory.Subscribe.class).subscriber();
  }

  private AgentId agent(String id, String status) {
    AgentId agentId = new AgentId(id);
    members.put(
        agentId,
        Agent.newBuilder()
            .setAgentId(id)
            .setStatus(status)
            .setConnected(status.equals("healthy"))
            .build());
    return agentId;
  }

  /** Lets the actor hear what it was told before time goes on. */
  private void pass(Duration duration) {
    TestProbe<AgentChanges.Accepted> heard = kit.createTestProbe();
    Reader passing = new Reader(1);
    changes.tell(new AgentChanges.Watch(passing, heard.ref()));
    changes.tell(new AgentChanges.Leave(passing));
    heard.receiveMessage();
    time.timePasses(duration);
  }

  private static WatchAgentsResponse next(Reader reader) throws InterruptedException {
    WatchAgentsResponse told = reader.told.poll(10, TimeUnit.SECONDS);
    assertTrue(told != null, "nothing was told");
    return told;
  }

  private static List<String> ids(WatchAgentsResponse told) {
    return told.getAgentsList().stream().map(Agent::getAgentId).toList();
  }

  @Test
  void changesOfHalfASecondAreOneMessageAndEachAgentIsInItOnce() throws Exception {
    Reader one = new Reader(10);
    Reader other = new Reader(10);
    assertTrue(watch(one));
    assertTrue(watch(other));
    ActorRef<PresenceDirectory.Changed> sessions = subscription();
    AgentId web = agent("web-1", "healthy");
    AgentId db = agent("db-1", "healthy");
    AgentId gone = new AgentId("gone-1");
    sessions.tell(new PresenceDirectory.Changed(web, false));
    changes.tell(new AgentChanges.Changed(gone));
    sessions.tell(new PresenceDirectory.Changed(db, false));
    sessions.tell(new PresenceDirectory.Changed(web, false));
    pass(AgentChanges.PAUSE.minus(MOMENT));
    assertEquals(0, one.told.size());
    pass(MOMENT);
    WatchAgentsResponse told = next(one);
    assertEquals(List.of("web-1", "db-1"), ids(told));
    assertEquals(List.of("gone-1"), told.getRemovedAgentIdsList());
    assertTrue(told.getComplete());
    assertEquals(told, next(other));
    assertEquals(1, looks.size(), "one look serves all who watch");
  }

  @Test
  void thatAnAgentWasHeardAgainIsToldEveryTenSeconds() throws Exception {
    Reader reader = new Reader(10);
    assertTrue(watch(reader));
    ActorRef<PresenceDirectory.Changed> sessions = subscription();
    AgentId web = agent("web-1", "healthy");
    for (int second = 1; second <= 9; second++) {
      sessions.tell(new PresenceDirectory.Changed(web, true));
      pass(Duration.ofSeconds(1));
    }
    assertEquals(0, reader.told.size());
    pass(Duration.ofSeconds(1));
    pass(AgentChanges.PAUSE);
    assertEquals(List.of("web-1"), ids(next(reader)));
    // What is told for another reason need not be told as routine.
    sessions.tell(new PresenceDirectory.Changed(web, true));
    sessions.tell(new PresenceDirectory.Changed(web, false));
    pass(AgentChanges.PAUSE);
    assertEquals(List.of("web-1"), ids(next(reader)));
    pass(AgentChanges.ROUTINE);
    pass(AgentChanges.PAUSE);
    assertEquals(2, looks.size());
  }

  @Test
  void thatVeryManyAreAliveIsToldOfSomeAfterTheOthers() throws Exception {
    Reader reader = new Reader(100);
    assertTrue(watch(reader));
    ActorRef<PresenceDirectory.Changed> sessions = subscription();
    for (int i = 0; i < AgentChanges.ROUTINE_AGENTS + 1; i++) {
      sessions.tell(new PresenceDirectory.Changed(agent("agent-" + i, "healthy"), true));
    }
    pass(AgentChanges.ROUTINE);
    int told = 0;
    while (told < AgentChanges.ROUTINE_AGENTS) {
      pass(AgentChanges.PAUSE);
      told += next(reader).getAgentsCount();
    }
    assertEquals(AgentChanges.ROUTINE_AGENTS, told);
    pass(AgentChanges.ROUTINE);
    pass(AgentChanges.PAUSE);
    assertEquals(List.of("agent-" + AgentChanges.ROUTINE_AGENTS), ids(next(reader)));
  }

  @Test
  void anAgentWithoutASessionIsLookedAtUntilItIsAsBadAsCanBe() throws Exception {
    Reader reader = new Reader(10);
    assertTrue(watch(reader));
    AgentId web = agent("web-1", "degraded");
    changes.tell(new AgentChanges.Told(Objects.requireNonNull(members.get(web))));
    pass(AgentChanges.ROUTINE);
    agent("web-1", "unhealthy");
    pass(AgentChanges.PAUSE);
    assertEquals("unhealthy", next(reader).getAgents(0).getStatus());
    pass(AgentChanges.ROUTINE);
    pass(AgentChanges.PAUSE);
    assertEquals(1, looks.size());
  }

  @Test
  void whoDoesNotReadIsDroppedAndTheOthersAreNot() throws Exception {
    Reader slow = new Reader(2);
    Reader quick = new Reader(100);
    assertTrue(watch(slow));
    assertTrue(watch(quick));
    AgentId web = agent("web-1", "healthy");
    for (int i = 0; i < 4; i++) {
      changes.tell(new AgentChanges.Changed(web));
      pass(AgentChanges.PAUSE);
      next(quick);
    }
    assertEquals(2, slow.told.size());
    assertEquals(Failure.LIMIT_REACHED, slow.failed.get(10, TimeUnit.SECONDS).refused().failure());
    assertFalse(quick.failed.isDone());
  }

  @Test
  void noMoreWatchThanThereIsRoomForAndWhileNobodyDoesNothingIsLookedAt() throws Exception {
    AgentId web = agent("web-1", "healthy");
    changes.tell(new AgentChanges.Changed(web));
    pass(AgentChanges.ROUTINE);
    // The probe of pass() came and went.
    ActorRef<PresenceDirectory.Changed> sessions = subscription();
    assertEquals(
        sessions, directory.expectMessageClass(PresenceDirectory.Unsubscribe.class).subscriber());
    List<Reader> readers = new ArrayList<>();
    for (int i = 0; i < AgentChanges.MAX_WATCHERS; i++) {
      Reader reader = new Reader(10);
      readers.add(reader);
      assertTrue(watch(reader));
    }
    assertFalse(watch(new Reader(10)));
    changes.tell(new AgentChanges.Leave(readers.get(0)));
    assertTrue(watch(readers.get(0)));
    assertEquals(0, looks.size());
    sessions.tell(new PresenceDirectory.Changed(web, false));
    readers.forEach(reader -> changes.tell(new AgentChanges.Leave(reader)));
    pass(AgentChanges.PAUSE);
    assertEquals(0, looks.size());
  }

  @Test
  void whatCouldNotBeLookedAtIsToldLater() throws Exception {
    Reader reader = new Reader(10);
    assertTrue(watch(reader));
    AgentId web = agent("web-1", "healthy");
    storeIsAway = true;
    changes.tell(new AgentChanges.Changed(web));
    pass(AgentChanges.PAUSE);
    pass(Duration.ZERO);
    storeIsAway = false;
    pass(AgentChanges.RETRY.minus(MOMENT));
    assertEquals(0, reader.told.size());
    pass(MOMENT);
    assertEquals(List.of("web-1"), ids(next(reader)));
  }

  @Test
  void manyChangesAreManyMessagesOfABoundedSize() throws Exception {
    Reader reader = new Reader(10);
    assertTrue(watch(reader));
    int agents = 2 * AgentChanges.BATCH + 1;
    for (int i = 0; i < agents; i++) {
      changes.tell(new AgentChanges.Changed(agent("agent-" + i, "healthy")));
    }
    pass(AgentChanges.PAUSE);
    int told = next(reader).getAgentsCount();
    pass(AgentChanges.BATCH_PAUSE);
    told += next(reader).getAgentsCount();
    pass(AgentChanges.PAUSE);
    told += next(reader).getAgentsCount();
    assertEquals(agents, told);
  }
}
