package coral.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.GetCACertificateRequest;
import coral.api.colony.v1.GetCACertificateResponse;
import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.ListAgentsRequest;
import coral.api.mesh.v1.MeshServiceClient;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.model.Failure;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.junit.jupiter.api.Test;

/** Who may call what, and whose certificate ends the handshake. */
final class RpcCallersTest extends RpcServerFixture {
  @Test
  void anAgentIsKnownByItsCertificateOverGrpcAndConnect() throws Exception {
    ClientCertificate agent = authority.agent(COLONY, "web-1");
    RegisterAgentResponse overConnect =
        connect(pinned(agent)).call(MESH + "Register", register(), RegisterAgentResponse.parser());
    assertEquals("AGENT web-1", overConnect.getReason());
    assertEquals("AGENT web-1", get(mesh(pinned(agent)).register(register())).getReason());
  }

  @Test
  void withoutACertificateOnlyOpenRpcsMayBeCalled() throws Exception {
    SSLContext anonymous = pinned(null);
    GetCACertificateResponse open =
        connect(anonymous)
            .call(
                ADMIN + "GetCACertificate",
                GetCACertificateRequest.getDefaultInstance(),
                GetCACertificateResponse.parser());
    assertEquals("ANYONE", open.getCaCertificate().toStringUtf8());
    assertEquals(
        Status.Code.UNAUTHENTICATED, refusal(() -> mesh(anonymous).register(register())).getCode());
    RpcException refused = refused(connect(anonymous), MESH + "Register");
    assertEquals(Status.Code.UNAUTHENTICATED, refused.code());
    assertEquals(Failure.UNAUTHENTICATED, refused.failure());
    assertEquals(RpcException.Reason.REFUSED, refused.reason());
  }

  @Test
  void anotherRoleIsDenied() throws Exception {
    SSLContext agent = pinned(authority.agent(COLONY, "web-2"));
    assertEquals(
        Status.Code.PERMISSION_DENIED,
        refusal(() -> colony(agent).getStatus(GetStatusRequest.getDefaultInstance())).getCode());
    SSLContext administrator = pinned(authority.administrator(COLONY, "alice"));
    assertEquals(
        Status.Code.PERMISSION_DENIED, refused(connect(administrator), MESH + "Register").code());
    assertEquals(
        "ADMINISTRATOR alice",
        get(colony(administrator).getStatus(GetStatusRequest.getDefaultInstance())).getStatus());
  }

  @Test
  void anRpcThatTheTableDoesNotNameIsDeniedToEverybody() throws Exception {
    SSLContext administrator = pinned(authority.administrator(COLONY, "alice"));
    assertEquals(
        Status.Code.PERMISSION_DENIED,
        refusal(() -> colony(administrator).listAgents(ListAgentsRequest.getDefaultInstance()))
            .getCode());
    assertEquals(
        Status.Code.PERMISSION_DENIED, refused(connect(pinned(null)), ADMIN + "ListAgents").code());
  }

  @Test
  void theUriAndTheSubjectMustNameTheSameAgentOfThisColony() throws Exception {
    List<ClientCertificate> wrong =
        List.of(
            authority.issue(
                "CN=other,O=" + COLONY,
                "spiffe://" + COLONY + "/agent/web-1",
                KeyPurposeId.id_kp_clientAuth),
            authority.issue(
                "CN=web-1,O=other",
                "spiffe://" + COLONY + "/agent/web-1",
                KeyPurposeId.id_kp_clientAuth),
            authority.agent("other", "web-1"),
            authority.issue(
                "CN=web-1,O=" + COLONY,
                "spiffe://" + COLONY + "/agent/web-1/x",
                KeyPurposeId.id_kp_clientAuth),
            authority.issue(
                "CN=web-1,O=" + COLONY,
                "spiffe://" + COLONY + "/colony",
                KeyPurposeId.id_kp_clientAuth),
            authority.issue(
                "CN=a,CN=web-1,O=" + COLONY,
                "spiffe://" + COLONY + "/agent/web-1",
                KeyPurposeId.id_kp_clientAuth),
            authority.issue(
                "CN=web-1,O=" + COLONY,
                List.of(
                    "spiffe://" + COLONY + "/agent/web-1", "spiffe://" + COLONY + "/admin/alice"),
                KeyPurposeId.id_kp_clientAuth,
                Duration.ofHours(-1),
                Duration.ofDays(1)),
            authority.issue(
                "CN=web-1,O=" + COLONY,
                List.of(),
                KeyPurposeId.id_kp_clientAuth,
                Duration.ofHours(-1),
                Duration.ofDays(1)));
    for (ClientCertificate certificate : wrong) {
      RpcException refused = refused(connect(pinned(certificate)), MESH + "Register");
      assertEquals(Status.Code.UNAUTHENTICATED, refused.code(), certificate.toString());
      assertEquals(RpcException.Reason.REFUSED, refused.reason(), refused.getMessage());
    }
  }

  @Test
  void aClientCertificateThatIsNotGoodFailsTheHandshake() throws Exception {
    TestAuthority stranger = new TestAuthority("Coral Colony CA");
    ClientCertificate revoked = authority.agent(COLONY, "revoked");
    REVOKED.add(revoked.chain().get(0));
    Map<String, ClientCertificate> bad =
        Map.of(
            "wrong authority", stranger.agent(COLONY, "web-1"),
            "expired",
                authority.issue(
                    "CN=web-1,O=" + COLONY,
                    List.of("spiffe://" + COLONY + "/agent/web-1"),
                    KeyPurposeId.id_kp_clientAuth,
                    Duration.ofDays(-1),
                    Duration.ofHours(-1)),
            "a server's", authority.server(COLONY),
            "revoked", revoked);
    for (Map.Entry<String, ClientCertificate> entry : bad.entrySet()) {
      RpcException refused = refused(connect(pinned(entry.getValue())), ADMIN + "GetCACertificate");
      assertEquals(
          RpcException.Reason.CERTIFICATE_REFUSED,
          refused.reason(),
          entry.getKey() + ": " + refused.getMessage());
    }
  }

  /** The trust manager is not asked when a session is resumed, so that no session may be. */
  @Test
  void everyConnectionIsVerifiedAndACertificateRevokedMeanwhileIsNotLetIn() throws Exception {
    ClientCertificate agent = authority.agent(COLONY, "resumed");
    SSLContext oneContext = resuming(agent);
    int before = HANDSHAKE_CHECKS.get();
    byte[] first = rawCall(oneContext);
    byte[] second = rawCall(oneContext);
    assertEquals(2, HANDSHAKE_CHECKS.get() - before);
    assertTrue(first.length > 0 && second.length > 0);
    REVOKED.add(agent.chain().get(0));
    assertThrows(java.io.IOException.class, () -> rawCall(oneContext));
  }

  @Test
  void aCertificateRevokedDuringAConnectionIsRefusedAtTheNextCall() throws Exception {
    ClientCertificate agent = authority.agent(COLONY, "leaver");
    MeshServiceClient client = mesh(pinned(agent));
    assertEquals("AGENT leaver", get(client.register(register())).getReason());
    REVOKED.add(agent.chain().get(0));
    assertEquals(Status.Code.UNAUTHENTICATED, refusal(() -> client.register(register())).getCode());
  }

  /** A client that would resume if the server let it: its trust manager is the JDK's own. */
  private static SSLContext resuming(ClientCertificate own) throws Exception {
    java.security.KeyStore anchors = java.security.KeyStore.getInstance("PKCS12");
    anchors.load(null, null);
    anchors.setCertificateEntry("root", authority.root());
    javax.net.ssl.TrustManagerFactory trust = javax.net.ssl.TrustManagerFactory.getInstance("PKIX");
    trust.init(anchors);
    SSLContext context = SSLContext.getInstance("TLSv1.3");
    context.init(
        new javax.net.ssl.KeyManager[] {new OwnKey(own.key(), own.chain())},
        trust.getTrustManagers(),
        null);
    return context;
  }

  private static byte[] rawCall(SSLContext context) throws Exception {
    try (SSLSocket socket =
        (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", endpoint.port())) {
      socket.setSoTimeout(5000);
      socket
          .getOutputStream()
          .write(
              ("POST /"
                      + MESH
                      + "Register HTTP/1.1\r\n"
                      + "Host: localhost\r\n"
                      + "Content-Type: application/proto\r\n"
                      + "Content-Length: 0\r\n"
                      + "Connection: close\r\n\r\n")
                  .getBytes(java.nio.charset.StandardCharsets.US_ASCII));
      byte[] answer = socket.getInputStream().readAllBytes();
      assertTrue(
          new String(answer, java.nio.charset.StandardCharsets.US_ASCII).startsWith("HTTP/1.1 200"),
          "answered");
      return answer;
    }
  }
}
