package coral.proxy;

import static coral.proxy.ProxyFixture.get;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.ColonyServiceClient;
import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.ReserveAddressRequest;
import coral.model.ColonyId;
import coral.rpc.CallerIdentity;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import coral.rpc.Role;
import coral.rpc.RpcChannel;
import coral.rpc.ServerTls;
import io.grpc.Status;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A proxy that others than this host's users may call, once it knows them. */
@Timeout(60)
final class RemoteProxyTest {
  private static final String TOKEN = "0123456789abcdef0123456789abcdef";

  private static ProxyFixture fixture;

  @BeforeAll
  static void start() throws Exception {
    StandInColony colony = new StandInColony();
    ClientCertificate own = colony.authority.server(StandInColony.ID);
    CallerRoots roots = new CallerRoots();
    roots.replace(List.of(colony.authority.root()));
    ProxyListener listener =
        new ProxyListener(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            Optional.of(
                new ProxyListener.Remote(
                    ServerTls.trusting(own.key(), own.chain(), roots, certificate -> true),
                    roots,
                    CallerIdentity.ofColony(
                        new ColonyId(StandInColony.ID),
                        certificate -> true,
                        InstantSource.system()),
                    Optional.of(AccessToken.of(TOKEN, Role.VIEWER, "pipeline")))),
            Set.of());
    fixture = new ProxyFixture(colony, listener, ProxyLimits.DEFAULT);
    fixture.connect(colony.endpoint());
  }

  @AfterAll
  static void stop() throws Exception {
    fixture.close();
  }

  private static javax.net.ssl.SSLContext tls(Optional<ClientCertificate> own) throws Exception {
    return ClientTls.pinned(
        fixture.colony.authority.fingerprint(), "spiffe://" + StandInColony.ID + "/colony", own);
  }

  private static ColonyServiceClient grpc(Role role, String name) throws Exception {
    return ColonyServiceClient.create(
        RpcChannel.grpcClient(
            fixture.endpoint(),
            tls(Optional.of(fixture.colony.certificate(role, name))),
            fixture.colony.system),
        fixture.colony.system);
  }

  private static HttpResponse<String> post(String authorization) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(
                URI.create(
                    "https://localhost:"
                        + fixture.endpoint().port()
                        + "/"
                        + StandInColony.COLONY
                        + "GetStatus"))
            .header("content-type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString("{}"));
    if (!authorization.isEmpty()) {
      request.header("authorization", authorization);
    }
    return HttpClient.newBuilder()
        .sslContext(tls(Optional.empty()))
        .build()
        .send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void theColonyIsToldWhoseCertificateTheCallerShowed() throws Exception {
    assertEquals(
        "proxy/proxy-ada-laptop for operator/bob",
        get(grpc(Role.OPERATOR, "bob").getStatus(GetStatusRequest.getDefaultInstance()))
            .getStatus());
  }

  @Test
  void theColonySaysAtEachCallWhetherTheCallersCertificateIsStillGood() throws Exception {
    ColonyServiceClient mallory = grpc(Role.OPERATOR, "mallory");
    GetStatusRequest question = GetStatusRequest.getDefaultInstance();
    get(mallory.getStatus(question));

    fixture.colony.revoked.add("CN=mallory");

    assertEquals(
        Status.Code.UNAUTHENTICATED, ProxyFixture.status(mallory.getStatus(question)).getCode());
    get(grpc(Role.OPERATOR, "bob").getStatus(question));
  }

  @Test
  void theTokenMakesAViewer() throws Exception {
    HttpResponse<String> answer = post("Bearer " + TOKEN);
    assertEquals(200, answer.statusCode());
    assertTrue(answer.body().contains("proxy/proxy-ada-laptop for viewer/pipeline"), answer.body());
    assertEquals(HttpClient.Version.HTTP_2, answer.version());
  }

  @Test
  void whoShowsNothingOrTheWrongTokenIsRefused() throws Exception {
    for (String wrong :
        List.of("", "Bearer", "Bearer " + TOKEN + "0", TOKEN, "Basic " + TOKEN, "Bearer wrong")) {
      HttpResponse<String> answer = post(wrong);
      assertEquals(401, answer.statusCode(), wrong);
      assertTrue(answer.body().contains("\"unauthenticated\""), answer.body());
      assertFalse(answer.body().contains(TOKEN));
    }
  }

  @Test
  void anAgentDoesNotCallThroughAProxy() throws Exception {
    assertEquals(
        Status.Code.INVALID_ARGUMENT,
        ProxyFixture.status(
                grpc(Role.AGENT, "web-1").getStatus(GetStatusRequest.getDefaultInstance()))
            .getCode());
  }

  @Test
  void bothTheProxyAndItsCallerMustBeAllowed() throws Exception {
    ReserveAddressRequest write = ReserveAddressRequest.getDefaultInstance();
    assertEquals(
        Status.Code.PERMISSION_DENIED,
        ProxyFixture.status(grpc(Role.OPERATOR, "bob").reserveAddress(write)).getCode());
    fixture.proxy.connect(
        new Upstream(
            List.of(fixture.colony.endpoint()),
            fixture.colony.tls(Role.OPERATOR, "strong"),
            Role.OPERATOR,
            Way.PUBLIC));
    coral.testing.Eventually.holds(() -> get(grpc(Role.OPERATOR, "bob").reserveAddress(write)));
    assertEquals(
        Status.Code.PERMISSION_DENIED,
        ProxyFixture.status(grpc(Role.VIEWER, "eve").reserveAddress(write)).getCode());
    fixture.connect(fixture.colony.endpoint());
    coral.testing.Eventually.holds(
        () ->
            assertEquals(
                "proxy/proxy-ada-laptop for viewer/eve",
                get(grpc(Role.VIEWER, "eve").getStatus(GetStatusRequest.getDefaultInstance()))
                    .getStatus()));
  }

  @Test
  void plaintextIsNotAnswered() throws Exception {
    assertEquals(
        0, RawHttp.status(fixture.endpoint().port(), "GET / HTTP/1.1\nHost: localhost\n\n"));
  }

  @Test
  void aTokenIsLongAndSaysNothingOfItself() {
    assertThrows(
        IllegalArgumentException.class, () -> AccessToken.of("short", Role.VIEWER, "pipeline"));
    assertThrows(
        IllegalArgumentException.class, () -> AccessToken.of(TOKEN, Role.AGENT, "pipeline"));
    AccessToken token = AccessToken.of(TOKEN, Role.VIEWER, "pipeline");
    assertEquals("access token of viewer/pipeline", token.toString());
    assertTrue(token.matches(TOKEN));
    assertFalse(token.matches(TOKEN.substring(1)));
  }
}
