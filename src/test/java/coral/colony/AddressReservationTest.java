package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import coral.api.colony.v1.Allocation;
import coral.api.colony.v1.AuditRecord;
import coral.api.colony.v1.ListAllocationsRequest;
import coral.api.colony.v1.ListAllocationsResponse;
import coral.api.colony.v1.ListAuditRecordsRequest;
import coral.api.colony.v1.ListAuditRecordsResponse;
import coral.api.colony.v1.ReserveAddressRequest;
import coral.api.colony.v1.ReserveAddressResponse;
import coral.model.Failure;
import coral.rpc.RpcException;
import coral.testing.Eventually;
import coral.wireguard.KeyPair;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Addresses that are held for agents which have not joined, on a whole colony. */
@Timeout(120)
final class AddressReservationTest {
  private static final String COLONY = "coral.colony.v1.ColonyService/";

  @TempDir Path directory;

  @Test
  void aReservedAddressSurvivesARestartAndIsGivenToItsAgentAlone() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      Allocation reserved = reserve(colony, "db-1", "10.42.0.2");
      assertEquals("fd42::2", reserved.getIpv6Address());
      assertTrue(reserved.getReserved());
      assertEquals(reserved, reserve(colony, "db-1", "fd42::2"), "the same again, by its IPv6");
      assertEquals("10.42.0.3", join(colony, "web-1"), "the lowest that is free");
      colony.restart();
      assertEquals(List.of("db-1 10.42.0.2 true", "web-1 10.42.0.3 false"), held(colony));
      assertEquals("10.42.0.2", join(colony, "db-1"));
      assertEquals(List.of("db-1 10.42.0.2 false", "web-1 10.42.0.3 false"), held(colony));
    }
  }

  @Test
  void whatIsNotFreeOrNoAgentsIsRefusedAndChangesNothing() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      join(colony, "web-1");
      reserve(colony, "db-1", "10.42.0.50");
      for (String[] wrong :
          new String[][] {
            {"late", "10.42.0.2"}, {"late", "fd42::32"}, {"web-1", "10.42.0.9"}, {"db-1", "fd42::9"}
          }) {
        assertEquals(Failure.FAILED_PRECONDITION, refused(colony, wrong[0], wrong[1]), wrong[1]);
      }
      for (String none :
          List.of("", "10.42.0.0", "10.42.0.1", "10.42.255.255", "10.43.0.9", "fd43::9", "host")) {
        assertEquals(Failure.INVALID_ARGUMENT, refused(colony, "late", none), none);
      }
      assertEquals(Failure.INVALID_ARGUMENT, refused(colony, "No Agent", "10.42.0.9"));
      assertEquals(List.of("web-1 10.42.0.2 false", "db-1 10.42.0.50 true"), held(colony));
    }
  }

  @Test
  void aReservationIsReleasedAsAnAddressIsAndTheAuditTellsOfBoth() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      reserve(colony, "db-1", "10.42.0.50");
      assertEquals("10.42.0.50", colony.deregister(colony.administrator(), "db-1").getReleasedIp());
      assertEquals(List.of(), held(colony));
      reserve(colony, "db-2", "10.42.0.50");
      Eventually.holds(
          () ->
              assertEquals(
                  List.of(
                      "address-reserved db-1 10.42.0.50 true",
                      "address-released db-1 10.42.0.50, which was reserved false",
                      "address-reserved db-2 10.42.0.50 true"),
                  audited(colony)));
    }
  }

  /** What became of addresses, and whether it is told who asked. */
  private static List<String> audited(TestColony colony) throws Exception {
    return colony
        .call(
            Optional.of(colony.administrator()),
            "coral.colony.v1.AuditService/ListAuditRecords",
            ListAuditRecordsRequest.getDefaultInstance(),
            ListAuditRecordsResponse.parser())
        .getRecordsList()
        .stream()
        .filter(record -> record.getKind().startsWith("address-"))
        .map(AddressReservationTest::text)
        .toList();
  }

  private static String text(AuditRecord record) {
    boolean isAsker =
        record.getActor().startsWith("admin/") && record.getSourceAddress().equals("127.0.0.1");
    return record.getKind() + " " + record.getSubject() + " " + record.getDetail() + " " + isAsker;
  }

  private static String join(TestColony colony, String agentId) throws Exception {
    return colony
        .register(colony.bootstrap(agentId), KeyPair.generate().publicKey(), "r")
        .getAssignedIp();
  }

  private static Allocation reserve(TestColony colony, String agentId, String address)
      throws Exception {
    return call(
            colony,
            "ReserveAddress",
            ReserveAddressRequest.newBuilder().setAgentId(agentId).setIpAddress(address).build(),
            ReserveAddressResponse.parser())
        .getAllocation();
  }

  private static Failure refused(TestColony colony, String agentId, String address) {
    return assertThrows(RpcException.class, () -> reserve(colony, agentId, address)).failure();
  }

  private static List<String> held(TestColony colony) throws Exception {
    return call(
            colony,
            "ListAllocations",
            ListAllocationsRequest.getDefaultInstance(),
            ListAllocationsResponse.parser())
        .getAllocationsList()
        .stream()
        .map(a -> a.getAgentId() + " " + a.getIpAddress() + " " + a.getReserved())
        .toList();
  }

  private static <T extends Message> T call(
      TestColony colony, String rpc, Message request, Parser<T> parser) throws Exception {
    return colony.call(Optional.of(colony.administrator()), COLONY + rpc, request, parser);
  }
}
