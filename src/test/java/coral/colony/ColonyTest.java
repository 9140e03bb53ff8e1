package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.GetStatusResponse;
import coral.api.colony.v1.GetTopologyRequest;
import coral.api.colony.v1.GetTopologyResponse;
import coral.api.colony.v1.ListAgentsRequest;
import coral.api.colony.v1.ListAgentsResponse;
import coral.api.colony.v1.ListAllocationsRequest;
import coral.api.colony.v1.ListAllocationsResponse;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.certificate.KeyType;
import coral.colony.TestColony.Member;
import coral.model.Failure;
import coral.model.WireGuardKey;
import coral.rpc.RpcException;
import coral.wireguard.KeyPair;
import coral.wireguard.WireGuardDevice;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** A whole colony: real TLS, a real database file, real tunnels. */
@Timeout(120)
class ColonyTest {
  @TempDir Path directory;

  private static Failure refused(Executable call) {
    return assertThrows(RpcException.class, call).failure();
  }

  private static WireGuardKey key() {
    return KeyPair.generate().publicKey();
  }

  @Test
  void anAgentBuysACertificateRegistersAndKeepsItsAddress() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      Member web = colony.bootstrap("web-1");
      WireGuardKey key = key();
      RegisterAgentResponse first = colony.register(web, key, "join-1");
      assertTrue(first.getAccepted());
      assertEquals("10.42.0.2", first.getAssignedIp());
      assertEquals("fd42::2", first.getAssignedIpv6());
      assertEquals("10.42.0.0/16", first.getMeshSubnetIpv4());
      assertEquals("fd42::/64", first.getMeshSubnetIpv6());
      assertEquals("10.42.0.1", first.getColonyMeshIpv4());
      assertEquals("fd42::1", first.getColonyMeshIpv6());
      assertEquals(
          colony.process().device().publicKey().toString(), first.getColonyWireguardPubkey());
      assertTrue(
          first.getColonyEndpointsList().stream()
              .allMatch(e -> e.endsWith(":" + colony.process().wireGuardPort())),
          first.getColonyEndpointsList().toString());
      assertFalse(first.getColonyEndpointsList().isEmpty());
      assertEquals(15, first.getHeartbeatInterval().getSeconds());
      assertEquals(1420, first.getMtu());
      assertEquals("join-1", first.getRequestId());

      assertEquals(first, colony.register(web, key, "join-1"), "a retry gets the same answer");
      assertEquals(first.getAssignedIp(), colony.register(web, key(), "join-2").getAssignedIp());
      assertEquals(Failure.REQUEST_ID_REUSED, refused(() -> colony.register(web, key(), "join-2")));
      assertEquals(
          "10.42.0.3", colony.register(colony.bootstrap("web-2"), key(), "r").getAssignedIp());
    }
  }

  @Test
  void whatIsWrongWithARequestIsSaidAndChangesNothing() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      Member web = colony.bootstrap("web-1");
      WireGuardKey key = key();
      RegisterAgentRequest good =
          RegisterAgentRequest.newBuilder()
              .setWireguardPubkey(key.toString())
              .setRequestId("r")
              .build();
      RegisterAgentRequest.Builder b = good.toBuilder();
      assertEquals(
          Failure.PERMISSION_DENIED,
          refused(() -> colony.register(web, b.clone().setAgentId("web-2").build())));
      for (RegisterAgentRequest bad :
          List.of(
              b.clone().setWireguardPubkey("").build(),
              b.clone().setWireguardPubkey("x".repeat(44)).build(),
              b.clone().setWireguardPubkey(key + "=").build(),
              b.clone().setRequestId("").build(),
              b.clone().setRequestId("x".repeat(65)).build(),
              b.clone().setComponentName("x".repeat(64)).build(),
              b.clone()
                  .setWireguardPubkey(colony.process().device().publicKey().toString())
                  .build())) {
        assertEquals(Failure.INVALID_ARGUMENT, refused(() -> colony.register(web, bad)), "" + bad);
      }
      assertEquals(
          Failure.FAILED_PRECONDITION,
          refused(() -> colony.register(web, b.clone().setRegistrationToken("t").build())));
      assertEquals(
          Failure.FAILED_PRECONDITION,
          refused(() -> colony.register(web, b.clone().setColonySecret("s").build())));
      assertEquals(0, allocations(colony).getTotal());
      assertEquals(0, colony.process().device().statistics().size());

      colony.register(web, good);
      Member other = colony.bootstrap("other");
      assertEquals(Failure.WIREGUARD_KEY_TAKEN, refused(() -> colony.register(other, key, "r2")));
      assertEquals(1, allocations(colony).getTotal());
    }
  }

  @Test
  void howLongCertificatesAreGoodAndHowManyAgentsHaveOneAreSettings() throws Exception {
    try (TestColony colony =
        TestColony.start(
            directory,
            Map.of(
                "coral.colony.certificates.agent-validity",
                "2h",
                "coral.colony.certificates.max-agents",
                1))) {
      var certificate = colony.bootstrap("web-1").certificate().chain().get(0);
      // It begins a minute in the past.
      assertEquals(
          Duration.ofMinutes(121),
          Duration.between(
              certificate.getNotBefore().toInstant(), certificate.getNotAfter().toInstant()));
      assertEquals(Failure.LIMIT_REACHED, refused(() -> colony.bootstrap("web-2")));
    }
  }

  @Test
  void theFirstClaimBindsAnAgentIdToItsKey() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      java.security.KeyPair keys = KeyType.P_256.generate();
      assertEquals(colony.bootstrap("web-1", keys), colony.bootstrap("web-1", keys));
      RpcException taken =
          assertThrows(
              RpcException.class, () -> colony.bootstrap("web-1", KeyType.P_256.generate()));
      assertEquals(Failure.AGENT_ID_TAKEN, taken.failure());
      assertEquals(io.grpc.Status.Code.ALREADY_EXISTS, taken.code());
    }
  }

  @Test
  void theLastAddressIsGivenAndThenThePoolIsExhaustedUntilOneIsReleased() throws Exception {
    try (TestColony colony =
        TestColony.start(directory, Map.of("coral.colony.subnet.ipv4", "10.9.0.0/30"))) {
      Member a = colony.bootstrap("a");
      Member b = colony.bootstrap("b");
      assertEquals("10.9.0.2", colony.register(a, key(), "r").getAssignedIp());
      Failure exhausted =
          assertTimeout(Duration.ofSeconds(1), () -> refused(() -> colony.register(b, key(), "r")));
      assertEquals(Failure.POOL_EXHAUSTED, exhausted);
      assertEquals("10.9.0.2", colony.deregister(a.certificate(), "").getReleasedIp());
      assertEquals("10.9.0.2", colony.register(b, key(), "r").getAssignedIp());
      assertEquals(Failure.POOL_EXHAUSTED, refused(() -> colony.register(a, key(), "again")));
    }
  }

  @Test
  void theLargestSubnetGivesAddressesAndKeepsThem() throws Exception {
    try (TestColony colony =
        TestColony.start(directory, Map.of("coral.colony.subnet.ipv4", "10.0.0.0/8"))) {
      Member a = colony.bootstrap("a");
      WireGuardKey key = key();
      RegisterAgentResponse first = colony.register(a, key, "r");
      assertEquals("10.0.0.0/8", first.getMeshSubnetIpv4());
      assertEquals("10.0.0.1", first.getColonyMeshIpv4());
      assertEquals("10.0.0.2", first.getAssignedIp());
      assertEquals("fd42::2", first.getAssignedIpv6());
      Member b = colony.bootstrap("b");
      assertEquals("10.0.0.3", colony.register(b, key(), "r").getAssignedIp());
      colony.restart();
      assertEquals(first.getAssignedIp(), colony.register(a, key, "r").getAssignedIp());
      GetStatusResponse status =
          colony.call(
              Optional.of(colony.administrator()),
              TestColony.COLONY + "GetStatus",
              GetStatusRequest.getDefaultInstance(),
              GetStatusResponse.parser());
      assertEquals(2, status.getAllocatedAddresses());
      // All host numbers but network, broadcast and the colony's own.
      assertEquals((1 << 24) - 3, status.getAddressCapacity());
    }
  }

  @Test
  void anAgentDeregistersItselfAndAnAdministratorAnybody() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      Member a = colony.bootstrap("a");
      Member b = colony.bootstrap("b");
      KeyPair keys = KeyPair.generate();
      colony.register(a, keys.publicKey(), "r");
      colony.register(b, key(), "r");
      assertEquals(
          Failure.PERMISSION_DENIED, refused(() -> colony.deregister(a.certificate(), "b")));
      assertEquals(2, colony.process().device().statistics().size());
      assertEquals("10.42.0.2", colony.deregister(a.certificate(), "a").getReleasedIp());
      assertEquals("fd42::3", colony.deregister(colony.administrator(), "b").getReleasedIpv6());
      assertEquals(0, colony.process().device().statistics().size());
      assertEquals(
          Failure.NOT_FOUND, refused(() -> colony.deregister(colony.administrator(), "b")));
      assertEquals(
          Failure.INVALID_ARGUMENT, refused(() -> colony.deregister(colony.administrator(), "")));
      assertEquals("10.42.0.2", colony.register(colony.bootstrap("c"), key(), "r").getAssignedIp());
    }
  }

  @Test
  void aTunnelCarriesPacketsAndAfterARestartAgainWithoutTheAgentDoingAnythingButAHandshake()
      throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      Member web = colony.bootstrap("web-1");
      KeyPair keys = KeyPair.generate();
      RegisterAgentResponse answer = colony.register(web, keys.publicKey(), "r");
      try (WireGuardDevice device = Tunnels.open(keys, answer)) {
        Tunnels.connect(device, colony);
        assertTrue(Tunnels.ping(device, "10.42.0.1"));
        assertTrue(Tunnels.ping(device, "fd42::1"));
        colony.restart();
        Tunnels.connect(device, colony);
        assertTrue(Tunnels.ping(device, "10.42.0.1"));
        assertTrue(Tunnels.ping(device, "fd42::1"));
      }
      assertEquals(answer.getAssignedIp(), allocations(colony).getAllocations(0).getIpAddress());
      // The certificate is still good, and a retry of the join is still the same join.
      assertEquals(
          answer.getAssignedIp(), colony.register(web, keys.publicKey(), "r").getAssignedIp());
    }
  }

  @Test
  void agentsReachEachOtherThroughTheHub() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      KeyPair one = KeyPair.generate();
      KeyPair two = KeyPair.generate();
      RegisterAgentResponse first = colony.register(colony.bootstrap("one"), one.publicKey(), "r");
      RegisterAgentResponse second = colony.register(colony.bootstrap("two"), two.publicKey(), "r");
      try (WireGuardDevice a = Tunnels.open(one, first);
          WireGuardDevice b = Tunnels.open(two, second)) {
        Tunnels.connect(a, colony);
        Tunnels.connect(b, colony);
        assertTrue(Tunnels.ping(b, "10.42.0.1"), "the hub learns where b is");
        assertTrue(Tunnels.ping(a, second.getAssignedIp()));
        assertTrue(Tunnels.ping(a, second.getAssignedIpv6()));
        GetTopologyResponse topology =
            colony.call(
                Optional.of(colony.administrator()),
                TestColony.COLONY + "GetTopology",
                GetTopologyRequest.getDefaultInstance(),
                GetTopologyResponse.parser());
        assertEquals(2, topology.getAgentsCount());
        assertEquals(2, topology.getConnectionsCount());
        assertEquals("wireguard", topology.getConnections(0).getConnectionType());
      }
    }
  }

  @Test
  void listsComeInPagesAndStatusTellsWhatThereIs() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      for (String agent : List.of("a", "b", "c")) {
        colony.register(colony.bootstrap(agent), key(), "r");
      }
      var admin = Optional.of(colony.administrator());
      ListAgentsResponse page =
          colony.call(
              admin,
              TestColony.COLONY + "ListAgents",
              ListAgentsRequest.newBuilder().setPageSize(2).build(),
              ListAgentsResponse.parser());
      assertEquals(2, page.getAgentsCount());
      assertEquals("web", page.getAgents(0).getComponentName());
      assertEquals("healthy", page.getAgents(0).getStatus(), "it was heard just now");
      assertFalse(page.getAgents(0).getConnected());
      ListAgentsResponse rest =
          colony.call(
              admin,
              TestColony.COLONY + "ListAgents",
              ListAgentsRequest.newBuilder()
                  .setPageSize(2)
                  .setPageToken(page.getNextPageToken())
                  .build(),
              ListAgentsResponse.parser());
      assertEquals("c", rest.getAgents(0).getAgentId());
      assertEquals("", rest.getNextPageToken());
      assertEquals(
          Failure.INVALID_ARGUMENT,
          refused(
              () ->
                  colony.call(
                      admin,
                      TestColony.COLONY + "ListAgents",
                      ListAgentsRequest.newBuilder().setPageToken("x").build(),
                      ListAgentsResponse.parser())));
      GetStatusResponse status =
          colony.call(
              admin,
              TestColony.COLONY + "GetStatus",
              GetStatusRequest.getDefaultInstance(),
              GetStatusResponse.parser());
      assertEquals("running", status.getStatus(), status.getProblemsList().toString());
      assertEquals(3, status.getAllocatedAddresses());
      assertEquals(65_533, status.getAddressCapacity());
      assertEquals(colony.created.caFingerprint().value(), status.getCaFingerprint());
      assertEquals("shop", status.getAppName());
      assertTrue(status.getStorageBytes() > 0);
    }
  }

  private static ListAllocationsResponse allocations(TestColony colony) throws Exception {
    return colony.call(
        Optional.of(colony.administrator()),
        TestColony.COLONY + "ListAllocations",
        ListAllocationsRequest.getDefaultInstance(),
        ListAllocationsResponse.parser());
  }
}
