package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.Duration;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.model.Endpoint;
import coral.wireguard.KeyPair;
import java.util.List;
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
