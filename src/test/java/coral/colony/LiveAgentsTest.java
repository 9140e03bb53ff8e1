package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.api.colony.v1.Agent;
import coral.api.colony.v1.PingAgentRequest;
import coral.api.colony.v1.PingAgentResponse;
import coral.api.colony.v1.RevokeCertificateRequest;
import coral.api.colony.v1.RevokeCertificateResponse;
import coral.api.colony.v1.WatchAgentsRequest;
import coral.api.colony.v1.WatchAgentsResponse;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.colony.TestColony.Member;
import coral.model.Failure;
import coral.rpc.ConnectStream;
import coral.rpc.RpcException;
import coral.wireguard.KeyPair;
import coral.wireguard.WireGuardDevice;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Agents watched and pinged over real streams, through real tunnels. */
@Timeout(120)
class LiveAgentsTest {
  private static final ActorSystem<Void> client =
      ActorSystem.create(Behaviors.empty(), "client", ConfigFactory.load());

  @TempDir Path directory;

  @AfterAll
  static void stop() {
    client.terminate();
  }

  private static ConnectStream<WatchAgentsResponse> watch(TestColony colony) throws Exception {
    return colony.stream(
        TestColony.COLONY + "WatchAgents",
        WatchAgentsRequest.getDefaultInstance(),
        WatchAgentsResponse.parser());
  }

  /** Reads on until an agent is as expected; absent if it was removed. */
  private static void await(
      ConnectStream<WatchAgentsResponse> stream,
      Map<String, Agent> seen,
      Predicate<Map<String, Agent>> expected)
      throws RpcException {
    while (!expected.test(seen)) {
      WatchAgentsResponse told = stream.next().orElseThrow();
      told.getAgentsList().forEach(agent -> seen.put(agent.getAgentId(), agent));
      told.getRemovedAgentIdsList().forEach(seen::remove);
    }
  }

  private static boolean is(Map<String, Agent> all, String id, Predicate<Agent> expected) {
    return Optional.ofNullable(all.get(id)).filter(expected).isPresent();
  }

  @Test
  void whoWatchesSeesAllAgentsAndThenEachChange() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      Member web = colony.bootstrap("web-1");
      colony.register(web, KeyPair.generate().publicKey(), "r");
      try (ConnectStream<WatchAgentsResponse> stream = watch(colony)) {
        WatchAgentsResponse first = stream.next().orElseThrow();
        assertEquals(
            List.of("web-1"), first.getAgentsList().stream().map(Agent::getAgentId).toList());
        assertTrue(first.getComplete());
        assertFalse(first.getAgents(0).getConnected());

        Map<String, Agent> seen = new HashMap<>();
        AgentStream session = AgentStream.open(colony, Optional.of(web.certificate()), client);
        session.opened();
        await(stream, seen, all -> is(all, "web-1", Agent::getConnected));

        Member db = colony.bootstrap("db-1");
        colony.register(db, KeyPair.generate().publicKey(), "r");
        await(
            stream, seen, all -> is(all, "db-1", agent -> agent.getMeshIpv4().equals("10.42.0.3")));

        session.up().complete();
        await(stream, seen, all -> is(all, "web-1", agent -> !agent.getConnected()));
        colony.call(
            Optional.of(colony.administrator()),
            TestColony.COLONY + "RevokeCertificate",
            RevokeCertificateRequest.newBuilder().setAgentId("web-1").setReason("test").build(),
            RevokeCertificateResponse.parser());
        await(stream, seen, all -> is(all, "web-1", agent -> agent.getStatus().equals("revoked")));
        colony.deregister(colony.administrator(), "db-1");
        await(stream, seen, all -> !all.containsKey("db-1"));
      }
    }
  }

  @Test
  void anAgentIsPingedThroughItsTunnelAndOneThatIsAwayIsLost() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      KeyPair keys = KeyPair.generate();
      RegisterAgentResponse web = colony.register(colony.bootstrap("web-1"), keys.publicKey(), "r");
      PingAgentRequest twice =
          PingAgentRequest.newBuilder()
              .setAgentId("web-1")
              .setCount(2)
              .setInterval(Protobuf.duration(Duration.ofMillis(100)))
              .build();
      try (WireGuardDevice device = Tunnels.open(keys, web)) {
        Tunnels.connect(device, colony);
        assertTrue(Tunnels.ping(device, "10.42.0.1"));
        List<PingAgentResponse> answers = ping(colony, twice);
        assertEquals(4, answers.size());
        assertTrue(answers.stream().allMatch(PingAgentResponse::getAnswered), answers::toString);
      }
      List<PingAgentResponse> lost = ping(colony, twice.toBuilder().setCount(1).build());
      assertEquals(2, lost.size());
      assertTrue(lost.stream().noneMatch(PingAgentResponse::getAnswered), lost::toString);
      assertEquals(
          Failure.NOT_FOUND,
          assertThrows(
                  RpcException.class,
                  () -> ping(colony, twice.toBuilder().setAgentId("nobody").build()))
              .failure());
      assertEquals(
          Failure.INVALID_ARGUMENT,
          assertThrows(
                  RpcException.class, () -> ping(colony, twice.toBuilder().setCount(5000).build()))
              .failure());
    }
  }

  private static List<PingAgentResponse> ping(TestColony colony, PingAgentRequest request)
      throws Exception {
    List<PingAgentResponse> answers = new ArrayList<>();
    try (ConnectStream<PingAgentResponse> stream =
        colony.stream(TestColony.COLONY + "PingAgent", request, PingAgentResponse.parser())) {
      for (Optional<PingAgentResponse> answer = stream.next();
          answer.isPresent();
          answer = stream.next()) {
        answers.add(answer.get());
      }
    }
    return answers;
  }
}
