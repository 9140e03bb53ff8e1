package coral.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.GetCACertificateRequest;
import coral.api.colony.v1.GetCACertificateResponse;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import java.net.ServerSocket;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.junit.jupiter.api.Test;

/** Servers that a client must not believe, and what people read. */
final class RpcServerTrustTest extends RpcServerFixture {
  @Test
  void aWrongPinIsSaidWithBothFingerprints() throws Exception {
    Fingerprint other = new TestAuthority("other").fingerprint();
    RpcException e =
        refused(
            connect(ClientTls.pinned(other, COLONY_URI, Optional.empty())),
            ADMIN + "GetCACertificate");
    assertEquals(RpcException.Reason.PIN_MISMATCH, e.reason());
    String message = String.valueOf(e.getMessage());
    assertTrue(
        message.contains(other.value()) && message.contains(authority.fingerprint().value()),
        message);
    RpcException overGrpc =
        RpcException.of(
            failure(
                () ->
                    colony(ClientTls.pinned(other, COLONY_URI, Optional.empty()))
                        .getCACertificate(GetCACertificateRequest.getDefaultInstance())),
            "colony");
    assertEquals(RpcException.Reason.PIN_MISMATCH, overGrpc.reason(), overGrpc.getMessage());
  }

  @Test
  void aServerOfAnotherNameIsNotBelieved() throws Exception {
    for (SSLContext context :
        List.of(
            ClientTls.pinned(authority.fingerprint(), "spiffe://other/colony", Optional.empty()),
            ClientTls.trusting(authority.root(), "spiffe://other/colony", Optional.empty()),
            ClientTls.trusting(
                new TestAuthority("Coral Colony CA").root(), COLONY_URI, Optional.empty()))) {
      assertEquals(
          RpcException.Reason.SERVER_NOT_TRUSTED,
          refused(connect(context), ADMIN + "GetCACertificate").reason());
    }
  }

  /** Whom the operator pinned is believed beside the roots that were handed on, and nobody else. */
  @Test
  void aBundleAndAPinAreBelievedBesideEachOther() throws Exception {
    TestAuthority other = new TestAuthority("other");
    Optional<Fingerprint> none = Optional.empty();
    for (SSLContext context :
        List.of(
            trusting(List.of(authority.root()), none),
            trusting(List.of(other.root(), authority.root()), none),
            trusting(List.of(other.root()), Optional.of(authority.fingerprint())),
            trusting(List.of(authority.root()), Optional.of(other.fingerprint())),
            trusting(List.of(), Optional.of(authority.fingerprint())))) {
      // believed: the answer is about who asks
      assertEquals(
          RpcException.Reason.REFUSED, refused(connect(context), ADMIN + "ListAgents").reason());
    }
    for (SSLContext context :
        List.of(
            trusting(List.of(other.root()), none),
            trusting(List.of(other.root()), Optional.of(other.fingerprint())))) {
      assertEquals(
          RpcException.Reason.SERVER_NOT_TRUSTED,
          refused(connect(context), ADMIN + "ListAgents").reason());
    }
    assertEquals(
        RpcException.Reason.PIN_MISMATCH,
        refused(
                connect(trusting(List.of(), Optional.of(other.fingerprint()))),
                ADMIN + "ListAgents")
            .reason());
  }

  private static SSLContext trusting(List<X509Certificate> roots, Optional<Fingerprint> pin) {
    return ClientTls.trusting(roots, pin, COLONY_URI, Optional.empty());
  }

  @Test
  void aServerWithABadCertificateIsNotBelieved() throws Exception {
    ClientCertificate agent =
        authority.issue("CN=web-1,O=" + COLONY, COLONY_URI, KeyPurposeId.id_kp_clientAuth);
    ClientCertificate expired =
        authority.issue(
            "CN=colony,O=" + COLONY,
            List.of(COLONY_URI),
            KeyPurposeId.id_kp_serverAuth,
            Duration.ofDays(-1),
            Duration.ofHours(-1));
    ClientCertificate good = authority.server(COLONY);
    // The pinned root is shown, but the leaf is of somebody else.
    ClientCertificate forged =
        new ClientCertificate(
            new TestAuthority("x").server(COLONY).key(),
            List.of(
                new TestAuthority("Coral Colony CA").server(COLONY).chain().get(0),
                authority.root()));
    ClientCertificate withoutRoot = new ClientCertificate(good.key(), good.chain().subList(0, 1));
    assertEquals(RpcException.Reason.SERVER_NOT_TRUSTED, reasonAgainst(agent));
    assertEquals(RpcException.Reason.SERVER_CERTIFICATE_EXPIRED, reasonAgainst(expired));
    assertEquals(RpcException.Reason.PIN_MISMATCH, reasonAgainst(withoutRoot));
    assertFalse(reasonAgainst(forged) == RpcException.Reason.REFUSED);
  }

  private RpcException.Reason reasonAgainst(ClientCertificate server) throws Exception {
    Endpoint bad =
        serve(Optional.of(ServerTls.of(server.key(), server.chain(), Optional.empty(), c -> true)));
    ConnectClient client = ConnectClient.https(bad, pinned(null), TIMEOUT, TIMEOUT);
    return refused(client, ADMIN + "GetCACertificate").reason();
  }

  @Test
  void aReplacedServerCertificateIsShownToTheNextConnection() throws Exception {
    ClientCertificate first = authority.server(COLONY);
    ServerTls replaceable = ServerTls.of(first.key(), first.chain(), Optional.empty(), c -> true);
    Endpoint server = serve(Optional.of(replaceable));
    SSLContext onlyFirst = ClientTls.pinnedLeaf(Fingerprint.of(first.chain().get(0).getEncoded()));
    ConnectClient.https(server, onlyFirst, TIMEOUT, TIMEOUT)
        .call(
            ADMIN + "GetCACertificate",
            GetCACertificateRequest.getDefaultInstance(),
            GetCACertificateResponse.parser());
    ClientCertificate second = authority.server(COLONY);
    replaceable.replace(second.key(), second.chain());
    SSLContext freshFirst = ClientTls.pinnedLeaf(Fingerprint.of(first.chain().get(0).getEncoded()));
    assertEquals(
        RpcException.Reason.PIN_MISMATCH,
        refused(
                ConnectClient.https(server, freshFirst, TIMEOUT, TIMEOUT),
                ADMIN + "GetCACertificate")
            .reason());
  }

  @Test
  void anUnreachableOrSilentServerIsSaidSo() throws Exception {
    int free;
    try (ServerSocket socket = new ServerSocket(0)) {
      free = socket.getLocalPort();
    }
    ConnectClient nobody =
        ConnectClient.https(new Endpoint("127.0.0.1", free), pinned(null), TIMEOUT, TIMEOUT);
    assertEquals(RpcException.Reason.UNREACHABLE, refused(nobody, ADMIN + "GetStatus").reason());
    try (ServerSocket silent = new ServerSocket(0)) {
      ConnectClient client =
          ConnectClient.https(
              new Endpoint("127.0.0.1", silent.getLocalPort()),
              pinned(null),
              TIMEOUT,
              Duration.ofMillis(200));
      assertEquals(RpcException.Reason.TIMEOUT, refused(client, ADMIN + "GetStatus").reason());
    }
  }
}
