package coral.proxy;

import static coral.proxy.ProxyFixture.get;
import static coral.proxy.StandInColony.COLONY;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.ColonyServiceClient;
import coral.api.colony.v1.GetStatusRequest;
import coral.api.mesh.v1.MeshServiceClient;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.rpc.RpcChannel;
import io.grpc.Status;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who may call a port that every program and every page on this host can connect to. */
@Timeout(60)
final class ProxyGuardTest {
  private static final String CONSOLE = "https://console.example.com";
  private static final String LOCAL = "proxy/proxy-ada-laptop for viewer/local";

  private static ProxyFixture fixture;
  private static int port;

  @BeforeAll
  static void start() throws Exception {
    fixture =
        new ProxyFixture(
            new StandInColony(), ProxyFixture.loopback(Set.of(CONSOLE)), ProxyLimits.DEFAULT);
    fixture.connect(fixture.colony.endpoint());
    port = fixture.endpoint().port();
  }

  @AfterAll
  static void stop() throws Exception {
    fixture.close();
  }

  private static String getStatus(String headers) throws IOException {
    return RawHttp.exchange(
        port,
        "POST /"
            + COLONY
            + "GetStatus HTTP/1.1\n"
            + headers
            + "Content-Type: application/json\nContent-Length: 2\nConnection: close\n\n{}");
  }

  private static int status(String answer) {
    return answer.isEmpty() ? 0 : Integer.parseInt(answer.substring(9, 12));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "localhost",
        "LocalHost:8000",
        "127.0.0.1:1",
        "127.1.2.3",
        "[::1]:8000",
        "coral.localhost"
      })
  void aNameOfLoopbackIsServed(String host) throws Exception {
    assertEquals(200, status(getStatus("Host: " + host + "\n")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example#localhost",
        "localhost@evil.example",
        "0.0.0.0",
        "[::2]",
        "localhost:8000:1",
        ""
      })
  void aNameThatWasMadeToPointHereIsNot(String host) throws Exception {
    String answer = getStatus("Host: " + host + "\n");
    assertEquals(403, status(answer), answer);
    assertTrue(answer.contains("permission_denied"), answer);
  }

  @Test
  void aRequestWithoutAHostOrWithTwoIsRefused() throws Exception {
    assertEquals(403, status(getStatus("")));
    assertEquals(400, status(getStatus("Host: localhost\nHost: evil.example\n")));
    assertEquals(
        403,
        RawHttp.status(
            port, "GET http://evil.example/ HTTP/1.1\nHost: localhost\nConnection: close\n\n"));
  }

  @Test
  void aNameThatWasMadeToPointHereIsRefusedOverHttp2() {
    ColonyServiceClient evil =
        ColonyServiceClient.create(
            RpcChannel.settings(fixture.endpoint(), Optional.empty(), fixture.colony.system)
                .withOverrideAuthority("evil.example"),
            fixture.colony.system);
    assertEquals(
        Status.Code.PERMISSION_DENIED,
        ProxyFixture.status(evil.getStatus(GetStatusRequest.getDefaultInstance())).getCode());
  }

  @Test
  void aPageOfAnotherSiteIsRefused() throws Exception {
    String host = "Host: localhost:" + port + "\n";
    for (String origin :
        new String[] {"https://evil.example", "null", "http://localhost:1", CONSOLE + ".evil"}) {
      assertEquals(403, status(getStatus(host + "Origin: " + origin + "\n")), origin);
    }
    assertEquals(403, status(getStatus(host + "Sec-Fetch-Site: cross-site\n")));
    assertEquals(200, status(getStatus(host + "Origin: http://localhost:" + port + "\n")));
    assertEquals(200, status(getStatus(host + "Sec-Fetch-Site: same-origin\n")));
  }

  @Test
  void aPageThatIsAllowedMayCallAndRead() throws Exception {
    String host = "Host: localhost:" + port + "\n";
    String asked =
        RawHttp.exchange(
            port,
            "OPTIONS /"
                + COLONY
                + "GetStatus HTTP/1.1\n"
                + host
                + "Origin: "
                + CONSOLE
                + "\nAccess-Control-Request-Method: POST\n"
                + "Access-Control-Request-Headers: content-type,x-grpc-web\n"
                + "Access-Control-Request-Private-Network: true\nConnection: close\n\n");
    assertEquals(204, status(asked), asked);
    assertTrue(has(asked, "access-control-allow-origin: " + CONSOLE), asked);
    assertTrue(has(asked, "access-control-allow-headers: content-type,x-grpc-web"), asked);
    assertTrue(has(asked, "access-control-allow-methods: get, post"), asked);
    assertTrue(has(asked, "access-control-allow-private-network: true"), asked);
    String answer = getStatus(host + "Origin: " + CONSOLE + "\n");
    assertEquals(200, status(answer), answer);
    assertTrue(has(answer, "access-control-allow-origin: " + CONSOLE), answer);
    assertTrue(has(answer, "vary: origin"), answer);
    String other =
        RawHttp.exchange(
            port,
            "OPTIONS / HTTP/1.1\n"
                + host
                + "Origin: https://evil.example\nAccess-Control-Request-Method: POST\n"
                + "Connection: close\n\n");
    assertEquals(403, status(other), other);
    assertFalse(has(other, "access-control-allow-origin"), other);
  }

  private static boolean has(String answer, String header) {
    return answer.toLowerCase(Locale.ROOT).contains(header.toLowerCase(Locale.ROOT));
  }

  @Test
  void nobodyOnThisHostSaysWhoHeIs() throws Exception {
    String host = "Host: localhost\n";
    assertTrue(getStatus(host + "coral-caller: admin/root\n").contains(LOCAL));
    assertTrue(getStatus(host + "Coral-Caller: admin/root\n").contains(LOCAL));
    assertTrue(getStatus(host + "CORAL-CALLER: x\ncoral-caller: y\n").contains(LOCAL));
    assertEquals(
        LOCAL,
        get(fixture
                .grpc()
                .getStatus()
                .addHeader("coral-caller", "admin/root")
                .invoke(GetStatusRequest.getDefaultInstance()))
            .getStatus());
  }

  /** What a member does for itself nobody does through it. */
  @Test
  void nobodyRegistersAsTheProxyThroughIt() {
    MeshServiceClient mesh =
        MeshServiceClient.create(
            RpcChannel.settings(fixture.endpoint(), Optional.empty(), fixture.colony.system),
            fixture.colony.system);
    assertEquals(
        Status.Code.PERMISSION_DENIED,
        ProxyFixture.status(mesh.register(RegisterAgentRequest.getDefaultInstance())).getCode());
  }

  @Test
  void anotherAddressThanLoopbackNeedsToKnowItsCallers() {
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                new ProxyListener(
                    new InetSocketAddress("0.0.0.0", 8000), Optional.empty(), Set.of()));
    assertTrue(String.valueOf(refused.getMessage()).contains("TLS"));
    assertThrows(
        IllegalArgumentException.class, () -> ProxyFixture.loopback(Set.of("console.example.com")));
  }

  @Test
  void anAddressThatIsInUseIsSaidToBe() {
    Throwable refused =
        assertThrows(
                java.util.concurrent.ExecutionException.class,
                () ->
                    get(
                        LocalProxy.open(
                            ProxyFixture.RESOLVER,
                            new ProxyListener(fixture.proxy.address(), Optional.empty(), Set.of()),
                            ProxyLimits.DEFAULT,
                            java.time.InstantSource.system())))
            .getCause();
    assertTrue(
        refused instanceof IOException
            && String.valueOf(refused.getMessage()).contains(port + " is in use"),
        String.valueOf(refused));
  }
}
