package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.CreateInvitationRequest;
import coral.api.colony.v1.CreateInvitationResponse;
import coral.api.colony.v1.ListAllocationsRequest;
import coral.api.colony.v1.ListAllocationsResponse;
import coral.api.discovery.v1.LookupColonyRequest;
import coral.api.discovery.v1.LookupColonyResponse;
import coral.files.SecureFiles;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Failure;
import coral.model.InvitationText;
import coral.model.MeshSubnet;
import coral.model.Refused;
import coral.proxy.ProxyDirectory;
import coral.proxy.ProxyState;
import coral.proxy.RunningProcess;
import coral.proxy.Way;
import coral.rpc.Role;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A command finds its way by itself, tells which and why, and says what it tried in vain. */
@Timeout(60)
class RoutesTest {
  private static final ColonyId ID = new ColonyId(ServedColony.ID);
  private static final RunningProcess SELF = RunningProcess.current();

  @TempDir static Path home;
  private static ServedColony colony;
  private static Endpoint plaintext;

  @BeforeAll
  static void serve() throws Exception {
    colony = new ServedColony(home);
    plaintext = colony.inPlaintext();
    colony.answer(
        "ListAllocations",
        ListAllocationsRequest.class,
        request -> ListAllocationsResponse.newBuilder().setCapacity(7).build());
  }

  @AfterAll
  static void stop() throws Exception {
    colony.close();
  }

  @BeforeEach
  void forget() throws IOException {
    ProxyDirectory.of(home, ID).clear();
    Files.deleteIfExists(colony.folder().resolve("context.conf"));
    colony.asked();
  }

  private static void proxy(
      RunningProcess process, Endpoint listen, Role role, ProxyState.Status status, String reason)
      throws IOException {
    SecureFiles.createDirectory(ProxyDirectory.of(home, ID).path());
    ProxyDirectory.of(home, ID)
        .write(
            new ProxyState(
                ID,
                new AgentId("proxy-of-a-test"),
                process,
                false,
                listen,
                false,
                Optional.empty(),
                Optional.of(Way.PUBLIC),
                Optional.empty(),
                Optional.empty(),
                Optional.of(role),
                status,
                reason.isEmpty() ? Optional.empty() : Optional.of(reason),
                Instant.EPOCH,
                Instant.EPOCH));
  }

  /** A colony that lives elsewhere, as far as its folder says. */
  private static void elsewhere(
      List<Endpoint> endpoints, Optional<Endpoint> discovery, Optional<MeshSubnet> mesh)
      throws IOException {
    ContextRecord record =
        new ContextRecord(
            ID,
            endpoints,
            discovery.map(at -> new InvitationText.Discovery("http://" + at, Optional.empty())),
            mesh);
    SecureFiles.write(
        colony.folder().resolve("context.conf"),
        ContextRecord.render(record.fields()).getBytes(StandardCharsets.UTF_8));
  }

  private static String ask(String... more) {
    Cli result = run(more);
    assertEquals(0, result.exitCode(), result.err());
    assertTrue(result.out().startsWith("0 of 7 addresses"), result.out());
    return result.err();
  }

  private static Cli run(String... more) {
    List<String> arguments = new ArrayList<>(List.of("allocations", "-v"));
    arguments.addAll(List.of(more));
    return colony.coral(arguments.toArray(String[]::new));
  }

  /** Where nobody listens. */
  private static Endpoint closed() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return new Endpoint("127.0.0.1", socket.getLocalPort());
    }
  }

  @Test
  void aRunningProxyIsAskedFirstAndNeedsNoCertificate() throws Exception {
    proxy(SELF, plaintext, Role.VIEWER, ProxyState.Status.CONNECTED, "");
    Path admin = colony.folder().resolve("admin");
    Path aside = Files.move(admin, colony.folder().resolve("aside"));
    try {
      String told = ask();
      assertTrue(told.contains("POST http://" + plaintext + "/coral.colony.v1."), told);
      assertTrue(told.contains("Response received (2 bytes)"), told);
      assertTrue(told.startsWith("["), told);
    } finally {
      Files.move(aside, admin);
    }
  }

  @Test
  void withoutAWordAboutItNothingIsTold() {
    assertEquals("", colony.coral("allocations").err());
  }

  @Test
  void aProxyThatWasKilledIsNone() throws Exception {
    proxy(
        new RunningProcess(SELF.pid(), "long ago"),
        plaintext,
        Role.VIEWER,
        ProxyState.Status.CONNECTED,
        "");
    String told = ask();
    assertTrue(told.contains("] proxy: none is running\n"), told);
    assertTrue(told.contains("POST https://" + colony.endpoint()), told);
  }

  @Test
  void aProxyWithoutItsColonyIsPassedOverWithItsReason() throws Exception {
    proxy(SELF, plaintext, Role.VIEWER, ProxyState.Status.OFFLINE, "no handshake for 3 min");
    String told = ask();
    assertTrue(told.contains(plaintext + ": offline: no handshake for 3 min\n"), told);
    assertTrue(told.contains("POST https://" + colony.endpoint()), told);
  }

  @Test
  void aProxyThatDoesNotListenIsPassedOver() throws Exception {
    Endpoint nowhere = closed();
    proxy(SELF, nowhere, Role.VIEWER, ProxyState.Status.CONNECTED, "");
    String told = ask();
    assertTrue(told.contains("proxy " + nowhere + ": nothing answers at"), told);
  }

  @Test
  void whatTheProxyMayNotDoIsAskedWithTheOwnCertificate() throws Exception {
    proxy(SELF, plaintext, Role.VIEWER, ProxyState.Status.CONNECTED, "");
    colony.answer(
        "CreateInvitation",
        CreateInvitationRequest.class,
        request -> CreateInvitationResponse.getDefaultInstance());
    Cli result = colony.coral("invite", "-v");
    assertEquals(0, result.exitCode(), result.err());
    assertTrue(result.err().contains("its role, viewer, is not allowed to call"), result.err());
    assertTrue(result.err().contains("POST https://" + colony.endpoint()), result.err());
    assertEquals(1, colony.asked().size());
  }

  @Test
  void aRoleThatIsNotEnoughIsNamedWithTheWayToMore() throws Exception {
    proxy(SELF, plaintext, Role.OPERATOR, ProxyState.Status.CONNECTED, "");
    colony.answer(
        "CreateInvitation",
        CreateInvitationRequest.class,
        request -> {
          throw new Refused(Failure.PERMISSION_DENIED, "not you").toException();
        });
    Cli result = colony.coral("invite", "--via", "proxy");
    assertEquals(1, result.exitCode());
    assertTrue(
        result
            .err()
            .contains(
                "not you (asked through the proxy at " + plaintext + ", whose role is operator)"),
        result.err());
    assertTrue(result.err().contains("--via public"), result.err());
  }

  @Test
  void aMemberOfTheMeshAsksTheMeshAddress() throws Exception {
    // This host's loopback interface has an address in such a mesh, and the colony the same one.
    MeshSubnet mesh = MeshSubnet.parse("127.0.0.0/8", "fd42::/64");
    elsewhere(List.of(colony.endpoint()), Optional.empty(), Optional.of(mesh));
    String told = ask();
    assertTrue(told.contains("(mesh, interface lo)"), told);
  }

  @Test
  void whoIsNoMemberAsksThePublicPort() throws Exception {
    MeshSubnet mesh = MeshSubnet.parse("203.0.113.0/24", "2001:db8:6d65::/64");
    elsewhere(List.of(colony.endpoint()), Optional.empty(), Optional.of(mesh));
    String told = ask();
    assertTrue(told.contains("mesh: no interface of this host has an address in"), told);
    assertTrue(told.contains("(public port, context.conf)"), told);
  }

  @Test
  void aColonyThatHasMovedIsFoundByDiscovery() throws Exception {
    colony.answer(
        "LookupColony",
        LookupColonyRequest.class,
        request ->
            LookupColonyResponse.newBuilder()
                .addPublicEndpoints("not an endpoint")
                .addPublicEndpoints("127.0.0.1:41820")
                .setConnectPort(colony.endpoint().port())
                .build());
    Endpoint former = closed();
    elsewhere(List.of(former), Optional.of(plaintext), Optional.empty());
    String told = ask();
    assertTrue(told.contains("public port " + former + ": nothing answers at"), told);
    assertTrue(told.contains("(public port, discovery)"), told);
  }

  @Test
  void whenNothingWorksTheMessageListsWhatWasTriedAndWhatToDo() throws Exception {
    Endpoint former = closed();
    Endpoint discovery = closed();
    elsewhere(List.of(former), Optional.of(discovery), Optional.empty());
    Cli result = colony.coral("allocations");
    assertEquals(1, result.exitCode());
    String err = result.err();
    assertTrue(err.startsWith("coral: colony " + ID + " cannot be asked; tried:\n"), err);
    assertTrue(err.contains("\n  proxy: none is running\n"), err);
    assertTrue(err.contains("\n  mesh: the addresses of this colony's mesh are not known"), err);
    assertTrue(err.contains("\n  public port " + former + ": nothing answers at"), err);
    assertTrue(err.contains("\n  discovery http://" + discovery + ": nothing answers at"), err);
    assertTrue(err.contains("\nStart a proxy with 'coral proxy start " + ID + "'"), err);
    assertEquals(List.of(), colony.asked());
  }

  @Test
  void onlyTheWayThatIsForcedIsTried() throws Exception {
    proxy(SELF, plaintext, Role.VIEWER, ProxyState.Status.CONNECTED, "");
    assertFalse(ask("--via", "public").contains("proxy"));
    assertTrue(
        ask("--endpoint", colony.endpoint().toString()).contains("(public port, --endpoint)"));
    assertTrue(ask("--endpoint", plaintext.toString(), "--via", "proxy").contains("POST http://"));
    Cli mesh = run("--via", "mesh");
    assertEquals(1, mesh.exitCode());
    assertTrue(mesh.err().contains("cannot be asked; tried:\n  mesh: "), mesh.err());
    assertEquals(2, run("--via", "air").exitCode());
  }
}
