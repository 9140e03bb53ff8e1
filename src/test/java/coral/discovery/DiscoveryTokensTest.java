package coral.discovery;

import static coral.discovery.RunningDiscovery.COLONY;
import static coral.discovery.RunningDiscovery.OTHER;
import static coral.discovery.RunningDiscovery.SECRET;
import static coral.discovery.RunningDiscovery.published;
import static coral.discovery.RunningDiscovery.request;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import coral.api.discovery.v1.DiscoveryKey;
import coral.api.discovery.v1.GetDiscoveryPublicKeyResponse;
import coral.api.discovery.v1.RequestRegistrationTokenRequest;
import coral.api.discovery.v1.RequestRegistrationTokenResponse;
import coral.files.SecureFiles;
import coral.model.ColonyId;
import coral.model.Failure;
import coral.rpc.RpcException;
import coral.token.AcceptedKeys;
import coral.token.RegistrationToken;
import coral.token.TokenVerifier;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** RFD 020 (token draft), discovery's side: over TLS, with a DuckDB file and a clock of ours. */
final class DiscoveryTokensTest {
  @TempDir Path directory;
  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));
  private final InstantSource clock = now::get;
  private final ListAppender<ILoggingEvent> logs = new ListAppender<>();
  private RunningDiscovery discovery;

  @BeforeEach
  void start() throws Exception {
    logs.start();
    ((Logger) LoggerFactory.getLogger("ROOT")).addAppender(logs);
    discovery = RunningDiscovery.start(directory, clock, "");
    discovery.register(COLONY, SECRET);
  }

  @AfterEach
  void stop() throws Exception {
    ((Logger) LoggerFactory.getLogger("coral")).setLevel(null);
    discovery.close();
    ((Logger) LoggerFactory.getLogger("ROOT")).detachAppender(logs);
  }

  private void restart(String settings) throws Exception {
    discovery.close();
    discovery = RunningDiscovery.start(directory, clock, settings);
  }

  private void pass(Duration time) {
    now.updateAndGet(t -> t.plus(time));
  }

  private RpcException refused(RequestRegistrationTokenRequest.Builder request) {
    return assertThrows(RpcException.class, () -> discovery.token(request));
  }

  private List<String> audit() {
    return logs.list.stream()
        .filter(event -> event.getLoggerName().equals("coral.audit"))
        .map(ILoggingEvent::getFormattedMessage)
        .toList();
  }

  private RegistrationToken verified(String token) throws Exception {
    AcceptedKeys keys = AcceptedKeys.onFirstUse(published(discovery.keys()));
    return new TokenVerifier(new ColonyId(COLONY), () -> keys).verify(token, clock.instant());
  }

  @Test
  void aTokenIsForOneAgentAndItsKeyAndSaysWhereTheColonyIs() throws Exception {
    RequestRegistrationTokenResponse response = discovery.token(request(COLONY, SECRET, "agent-1"));
    RegistrationToken token = verified(response.getToken());
    assertEquals("agent-1", token.agentId().value());
    assertEquals(COLONY, token.colonyId().value());
    assertEquals(
        ByteString.copyFrom(RunningDiscovery.KEY_HASH),
        ByteString.copyFrom(token.keyHash().orElseThrow().toBytes()));
    assertEquals(clock.instant().plusSeconds(60), token.expiresAt());
    assertEquals(token.expiresAt().getEpochSecond(), response.getExpiresAt());
    assertEquals("[2001:db8::7]:9000", response.getColonyEndpoint());
    assertTrue(
        audit().stream().anyMatch(l -> l.contains("token-issued") && l.contains(token.id())),
        audit() + "");
    RegistrationToken another =
        verified(discovery.token(request(COLONY, SECRET, "agent-1")).getToken());
    assertNotEquals(token.id(), another.id());
  }

  @Test
  void aTokenCanBeBoundToAWireGuardKeyOrToNone() throws Exception {
    String key = RunningDiscovery.announcement("x", SECRET).getWireguardPubkey();
    RegistrationToken bound =
        verified(
            discovery
                .token(request(COLONY, SECRET, "a").clearPublicKeySha256().setWireguardPubkey(key))
                .getToken());
    assertEquals(key, bound.wireGuardKey().orElseThrow().toString());
    RegistrationToken free =
        verified(discovery.token(request(COLONY, SECRET, "a").clearPublicKeySha256()).getToken());
    assertTrue(free.keyHash().isEmpty() && free.wireGuardKey().isEmpty());
  }

  @Test
  void s2AWrongSecretAndAnUnknownColonyAreRefusedInTheSameWords() {
    RpcException wrong = refused(request(COLONY, OTHER, "agent-1"));
    RpcException unknown = refused(request("unknown", SECRET, "agent-1"));
    assertEquals(Failure.UNAUTHENTICATED, wrong.failure());
    assertEquals(Failure.UNAUTHENTICATED, unknown.failure());
    assertEquals(wrong.getMessage(), unknown.getMessage());
    assertEquals(2, audit().stream().filter(l -> l.contains("token-refused")).count());
  }

  @Test
  void everyFieldIsChecked() {
    for (RequestRegistrationTokenRequest.Builder bad :
        List.of(
            request("Not An Id", SECRET, "a"),
            request(COLONY, SECRET, "Not An Id"),
            request(COLONY, "short", "a"),
            request(COLONY, SECRET, "a").setPublicKeySha256(ByteString.copyFrom(new byte[31])),
            request(COLONY, SECRET, "a").clearPublicKeySha256().setWireguardPubkey("AAAA"),
            request(COLONY, SECRET, "a")
                .setWireguardPubkey(
                    RunningDiscovery.announcement("x", SECRET).getWireguardPubkey()))) {
      assertEquals(Failure.INVALID_ARGUMENT, refused(bad).failure(), bad + "");
    }
    assertEquals(
        Failure.LIMIT_REACHED, refused(request(COLONY, "s".repeat(5 << 10), "a")).failure());
  }

  @Test
  void bothSecretsHoldDuringTheGraceAndOnlyTheNewOneAfterIt() throws Exception {
    Instant ends = discovery.rotate(SECRET, OTHER, Optional.of(Duration.ofHours(2)));
    assertEquals(clock.instant().plus(Duration.ofHours(2)), ends);
    discovery.token(request(COLONY, SECRET, "a"));
    discovery.token(request(COLONY, OTHER, "b"));
    discovery.register(COLONY, SECRET);
    restart("");
    discovery.token(request(COLONY, SECRET, "c"));
    discovery.token(request(COLONY, OTHER, "d"));
    pass(Duration.ofHours(2).minusSeconds(1));
    discovery.token(request(COLONY, SECRET, "a")); // and its proof is remembered from now on
    pass(Duration.ofSeconds(1));
    assertEquals(Failure.UNAUTHENTICATED, refused(request(COLONY, SECRET, "a")).failure());
    assertEquals(
        Failure.MESH_ID_TAKEN,
        assertThrows(RpcException.class, () -> discovery.register(COLONY, SECRET)).failure());
    discovery.register(COLONY, OTHER);
    restart("");
    assertEquals(Failure.UNAUTHENTICATED, refused(request(COLONY, SECRET, "a")).failure());
    discovery.token(request(COLONY, OTHER, "b"));
    assertTrue(audit().stream().anyMatch(l -> l.contains("secret-rotated")), audit() + "");
  }

  /** The answer may be lost: to ask again, with either secret, is to be told again. */
  @Test
  void aRotationCanBeAskedForAgain() throws Exception {
    Instant ends = discovery.rotate(SECRET, OTHER, Optional.empty());
    assertEquals(clock.instant().plus(Duration.ofHours(24)), ends);
    pass(Duration.ofSeconds(10));
    assertEquals(ends, discovery.rotate(SECRET, OTHER, Optional.empty()));
    assertEquals(ends, discovery.rotate(OTHER, OTHER, Optional.empty()));
    discovery.rotate(OTHER, SECRET, Optional.of(Duration.ZERO));
    assertEquals(clock.instant(), discovery.rotate(OTHER, SECRET, Optional.of(Duration.ZERO)));
    assertEquals(Failure.UNAUTHENTICATED, refused(request(COLONY, OTHER, "a")).failure());
  }

  @Test
  void aRotationTakesTheCurrentSecret() throws Exception {
    String third = "coral-sec_a-third-secret-of-the-same-colony";
    assertEquals(Failure.UNAUTHENTICATED, rotationFailure(OTHER, third));
    discovery.rotate(SECRET, OTHER, Optional.empty());
    assertEquals(Failure.FAILED_PRECONDITION, rotationFailure(SECRET, third));
    assertEquals(Failure.INVALID_ARGUMENT, rotationFailure(OTHER, "short"));
    discovery.token(request(COLONY, OTHER, "a"));
    assertEquals(Failure.UNAUTHENTICATED, refused(request(COLONY, third, "a")).failure());
  }

  private Failure rotationFailure(String present, String next) {
    return assertThrows(RpcException.class, () -> discovery.rotate(present, next, Optional.empty()))
        .failure();
  }

  @Test
  void aFileThatIsOlderThanTwoSecretsIsOpened() throws Exception {
    Path old = directory.resolve("old");
    OldDirectory.create(old, COLONY, SECRET, clock.instant());
    discovery.close();
    discovery = RunningDiscovery.start(old, clock, "");
    discovery.token(request(COLONY, SECRET, "a"));
    discovery.rotate(SECRET, OTHER, Optional.empty());
    discovery.close();
    discovery = RunningDiscovery.start(old, clock, "");
    discovery.token(request(COLONY, OTHER, "a"));
  }

  @Test
  void keysAndSecretsOutliveARestart() throws Exception {
    RequestRegistrationTokenResponse token = discovery.token(request(COLONY, SECRET, "a"));
    GetDiscoveryPublicKeyResponse keys = discovery.keys();
    restart("");
    assertEquals(keys, discovery.keys());
    verified(token.getToken());
    verified(discovery.token(request(COLONY, SECRET, "a")).getToken());
  }

  @Test
  void keysAreRotatedByCommandAndFollowedFromTheFirst() throws Exception {
    AcceptedKeys pinned = AcceptedKeys.onFirstUse(published(discovery.keys()));
    GetDiscoveryPublicKeyResponse before = discovery.keys();
    assertEquals(
        List.of(DiscoveryKey.State.CURRENT, DiscoveryKey.State.NEXT),
        before.getKeysList().stream().map(DiscoveryKey::getState).toList());
    String early = ControlSocket.ask(directory, "keys rotate");
    assertTrue(early.startsWith("error: the next signing key"), early);
    pass(Duration.ofMinutes(10));
    String rotated = ControlSocket.ask(directory, "keys rotate");
    String next = before.getKeys(1).getKeyId();
    assertTrue(rotated.contains(next + " CURRENT"), rotated);
    assertEquals(rotated, ControlSocket.ask(directory, "keys"));
    assertEquals(next, discovery.keys().getKeyId());
    AcceptedKeys followed = pinned.follow(published(discovery.keys()));
    new TokenVerifier(new ColonyId(COLONY), () -> followed)
        .verify(discovery.token(request(COLONY, SECRET, "a")).getToken(), clock.instant());
    restart("");
    assertEquals(next, discovery.keys().getKeyId());
    assertTrue(ControlSocket.ask(directory, "nonsense").startsWith("error:"));
  }

  @Test
  void keysAreEncryptedAtRestWithAPassphrase() throws Exception {
    Path passphrase = directory.resolve("passphrase");
    SecureFiles.write(passphrase, "correct horse\n".getBytes(StandardCharsets.UTF_8));
    Path keys = directory.resolve("token-keys.json");
    assertTrue(Files.readString(keys).contains("BEGIN PRIVATE KEY"));
    GetDiscoveryPublicKeyResponse before = discovery.keys();
    restart("coral.discovery.token.key-passphrase-file = \"" + passphrase + "\"");
    assertEquals(before, discovery.keys());
    assertTrue(Files.readString(keys).contains("BEGIN ENCRYPTED PRIVATE KEY"));
    discovery.close();
    assertThrows(IOException.class, () -> RunningDiscovery.start(directory, clock, ""));
    restartAfterFailure(passphrase);
  }

  private void restartAfterFailure(Path passphrase) throws Exception {
    discovery =
        RunningDiscovery.start(
            directory, clock, "coral.discovery.token.key-passphrase-file = \"" + passphrase + "\"");
  }

  /** RFC 7517, read as any verifier would. */
  @Test
  void theKeySetIsServedToPlainHttpOverThePinnedTls() throws Exception {
    HttpResponse<String> response = discovery.keySet();
    assertEquals(200, response.statusCode());
    assertEquals("max-age=300", response.headers().firstValue("cache-control").orElse(""));
    JsonNode keys = new ObjectMapper().readTree(response.body()).path("keys");
    GetDiscoveryPublicKeyResponse expected = discovery.keys();
    assertEquals(2, keys.size());
    for (int i = 0; i < 2; i++) {
      assertEquals("OKP", keys.get(i).path("kty").asText());
      assertEquals("Ed25519", keys.get(i).path("crv").asText());
      assertEquals(expected.getKeys(i).getKeyId(), keys.get(i).path("kid").asText());
      assertEquals(
          expected.getKeys(i).getPublicKey(),
          Base64.getEncoder()
              .encodeToString(Base64.getUrlDecoder().decode(keys.get(i).path("x").asText())));
    }
  }

  @Test
  void s8NeitherASecretNorATokenIsInALogOrAFile() throws Exception {
    ((Logger) LoggerFactory.getLogger("coral")).setLevel(Level.DEBUG);
    String token = discovery.token(request(COLONY, SECRET, "a")).getToken();
    refused(request(COLONY, OTHER, "a"));
    discovery.rotate(SECRET, OTHER, Optional.empty());
    rotationFailure(SECRET, SECRET + "-3");
    discovery.close();
    assertTrue(audit().size() >= 4, audit() + "");
    for (String hidden : List.of(SECRET, OTHER, token, token.substring(token.length() - 20))) {
      logs.list.forEach(e -> assertFalse(e.getFormattedMessage().contains(hidden), e + ""));
      try (var files = Files.walk(directory)) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          assertFalse(
              new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains(hidden),
              file + "");
        }
      }
    }
    discovery = RunningDiscovery.start(directory, clock, "");
  }
}
