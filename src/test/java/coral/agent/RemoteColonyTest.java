package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Duration;
import com.typesafe.config.ConfigFactory;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.model.AgentId;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import coral.model.Secret;
import coral.wireguard.KeyPair;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.Test;

class RemoteColonyTest {
  private static final Endpoint REACHED = new Endpoint("colony.example.org", 9000);

  @Test
  void anAnswerBecomesAMembership() {
    Membership membership = RemoteColony.membership(answer().build(), REACHED);
    assertEquals("10.42.0.15", membership.own().ipv4Text());
    assertEquals("fd42::f", membership.own().ipv6Text());
    assertEquals(15, membership.own().hostNumber());
    assertEquals("10.42.0.1", membership.colony().ipv4Text());
    assertEquals(java.time.Duration.ofSeconds(15), membership.heartbeatInterval());
  }

  @Test
  void aColonyThatListensEverywhereIsWhereItWasReached() {
    Membership membership = RemoteColony.membership(answer().build(), REACHED);
    assertEquals(List.of(new Endpoint("colony.example.org", 41820)), membership.colonyEndpoints());
  }

  @Test
  void anAnswerThatContradictsItselfIsNotBelieved() {
    refused(answer().setAssignedIp("10.43.0.15"));
    refused(answer().setAssignedIpv6("fd42::10"));
    refused(answer().setAssignedIp("10.42.255.255").setAssignedIpv6("fd42::ffff"));
    refused(answer().setColonyWireguardPubkey("no key"));
    refused(answer().clearColonyEndpoints());
    refused(answer().setMeshSubnetIpv4("0.0.0.0/0"));
  }

  /** RFC 8305, section 1: an address that leads nowhere must not make the others wait long. */
  @Test
  void anEndpointThatDoesNotAnswerIsGivenUpLongBeforeTheTimeOfACall() throws Exception {
    AgentSettings settings =
        AgentSettings.from(
            ConfigFactory.parseString(
                    "coral.agent { colony-id = my-app-dev-111111, id = a, call-timeout = 60s }")
                .withFallback(ConfigFactory.load()));
    ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "test");
    try (ServerSocket full = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      List<SocketChannel> waiting = fill(full);
      RemoteColony colony = new RemoteColony(settings, system, Runnable::run);
      long start = System.nanoTime();
      JoinException failure =
          assertThrows(
              JoinException.class,
              () ->
                  colony.requestCertificate(
                      List.of(new Endpoint("127.0.0.1", full.getLocalPort())),
                      ColonyTrust.pinned(new Fingerprint("sha256:" + "0".repeat(64))),
                      new ColonyClient.Order(
                          CertificateRequest.create(new AgentId("a")),
                          new Payment.Token(new Secret("token")),
                          Optional.empty())));
      java.time.Duration took = java.time.Duration.ofNanos(System.nanoTime() - start);
      assertEquals(JoinFailure.Kind.COLONY_UNREACHABLE, failure.failure().kind());
      assertTrue(took.toSeconds() < 30, "gave up after " + took);
      for (SocketChannel each : waiting) {
        each.close();
      }
    } finally {
      system.terminate();
      system.getWhenTerminated().toCompletableFuture().join();
    }
  }

  /** Linux ignores a SYN to a socket whose queue is full, as a firewall does. */
  private static List<SocketChannel> fill(ServerSocket server) throws IOException {
    List<SocketChannel> connecting = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      SocketChannel channel = SocketChannel.open();
      channel.configureBlocking(false);
      channel.connect(server.getLocalSocketAddress());
      connecting.add(channel);
    }
    return connecting;
  }

  private static void refused(RegisterAgentResponse.Builder answer) {
    assertThrows(
        IllegalArgumentException.class, () -> RemoteColony.membership(answer.build(), REACHED));
  }

  private static RegisterAgentResponse.Builder answer() {
    return RegisterAgentResponse.newBuilder()
        .setAssignedIp("10.42.0.15")
        .setAssignedIpv6("fd42::f")
        .setMeshSubnetIpv4("10.42.0.0/16")
        .setMeshSubnetIpv6("fd42::/64")
        .setColonyMeshIpv4("10.42.0.1")
        .setColonyMeshIpv6("fd42::1")
        .setColonyWireguardPubkey(KeyPair.generate().publicKey().toString())
        .addColonyEndpoints("0.0.0.0:41820")
        .addColonyEndpoints("[::]:41820")
        .setHeartbeatInterval(Duration.newBuilder().setSeconds(15));
  }
}
