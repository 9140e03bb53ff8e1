package coral.discovery;

import static coral.discovery.RunningDiscovery.COLONY;
import static coral.discovery.RunningDiscovery.OTHER;
import static coral.discovery.RunningDiscovery.SECRET;
import static coral.discovery.RunningDiscovery.announcement;
import static coral.discovery.RunningDiscovery.request;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.google.protobuf.ByteString;
import coral.api.discovery.v1.OwnerProof;
import coral.api.discovery.v1.RegisterColonyRequest;
import coral.api.discovery.v1.RotateColonySecretRequest;
import coral.model.Failure;
import coral.ownership.ColonyOwner;
import coral.rpc.RpcException;
import coral.testing.OwnerSignatures;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** A colony's secret is known to all of its hosts: what takes the owner's key beside it. */
final class DiscoveryOwnershipTest {
  private static final String THIRD = "coral-sec_a-third-secret-of-the-same-colony";

  @TempDir Path temporary;
  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));
  private final InstantSource clock = now::get;
  private final ListAppender<ILoggingEvent> logs = new ListAppender<>();
  private Path directory;
  private ColonyOwner owner;
  private ColonyOwner stranger;
  private RunningDiscovery discovery;

  @BeforeEach
  void start() throws Exception {
    logs.start();
    ((Logger) LoggerFactory.getLogger("ROOT")).addAppender(logs);
    directory = temporary.resolve("discovery");
    owner = OwnerSignatures.owner(temporary.resolve("owner"), clock);
    stranger = OwnerSignatures.owner(temporary.resolve("stranger"), clock);
    discovery = RunningDiscovery.start(directory, clock, "");
  }

  @AfterEach
  void stop() throws Exception {
    discovery.close();
    ((Logger) LoggerFactory.getLogger("ROOT")).detachAppender(logs);
  }

  private void restart(String settings) throws Exception {
    discovery.close();
    discovery = RunningDiscovery.start(directory, clock, settings);
  }

  private RegisterColonyRequest.Builder signed(ColonyOwner by, String secret) throws Exception {
    return OwnerSignatures.sign(by, announcement(COLONY, secret));
  }

  private static RotateColonySecretRequest.Builder rotation(String present, String next) {
    return RotateColonySecretRequest.newBuilder()
        .setMeshId(COLONY)
        .setColonySecret(present)
        .setNewColonySecret(next)
        .setGrace(com.google.protobuf.Duration.newBuilder().setSeconds(3600).setNanos(7));
  }

  private RpcException refused(RegisterColonyRequest.Builder request) {
    return assertThrows(RpcException.class, () -> discovery.register(request));
  }

  private RpcException refused(RotateColonySecretRequest.Builder request) {
    return assertThrows(RpcException.class, () -> discovery.rotate(request));
  }

  private static void assertTaken(RpcException refused) {
    assertEquals(Failure.MESH_ID_TAKEN, refused.failure(), refused.getMessage());
    assertTrue(String.valueOf(refused.getMessage()).contains("owner key"), refused.getMessage());
  }

  private List<String> warnings(String text) {
    return logs.list.stream()
        .filter(event -> event.getLevel() == Level.WARN)
        .map(ILoggingEvent::getFormattedMessage)
        .filter(message -> message.contains(text))
        .toList();
  }

  @Test
  void theSecretAloneNeitherAnnouncesNorRotatesWhatAKeyOwns() throws Exception {
    discovery.register(signed(owner, SECRET));
    for (int i = 0; i < 2; i++) {
      assertTaken(refused(announcement(COLONY, SECRET).setConnectPort(666)));
      assertTaken(refused(signed(stranger, SECRET)));
      assertTaken(refused(rotation(SECRET, THIRD)));
      assertTaken(refused(OwnerSignatures.sign(stranger, rotation(SECRET, THIRD))));
      assertEquals(9000, discovery.lookup(COLONY).getConnectPort());
      // The secret is what it should be: the price of tokens.
      discovery.token(request(COLONY, SECRET, "agent-" + i));
      restart("");
    }
    discovery.register(signed(owner, SECRET));
    assertEquals(
        Failure.MESH_ID_TAKEN, refused(signed(owner, OTHER)).failure(), "nor the key without it");
  }

  @Test
  void theOwnerReplacesTheSecret() throws Exception {
    discovery.register(signed(owner, SECRET));
    Instant ends = discovery.rotate(OwnerSignatures.sign(owner, rotation(SECRET, OTHER)));
    assertEquals(clock.instant().plusSeconds(3600), ends);
    // The answer may be lost: to ask again is safe.
    assertEquals(ends, discovery.rotate(OwnerSignatures.sign(owner, rotation(SECRET, OTHER))));
    discovery.token(request(COLONY, OTHER, "a"));
    assertTaken(refused(rotation(OTHER, THIRD)));
    assertTaken(refused(rotation(OTHER, OTHER)));
    restart("");
    discovery.register(signed(owner, OTHER));
    assertTaken(refused(announcement(COLONY, OTHER)));
  }

  @Test
  void whatWasSignedIsAcceptedOnceAndInOrder() throws Exception {
    RegisterColonyRequest.Builder early = signed(owner, SECRET);
    RegisterColonyRequest.Builder late = signed(owner, SECRET).setConnectPort(9000);
    RotateColonySecretRequest.Builder rotation =
        OwnerSignatures.sign(owner, rotation(SECRET, OTHER));
    RotateColonySecretRequest.Builder back = OwnerSignatures.sign(owner, rotation(OTHER, SECRET));
    discovery.register(late);
    assertEquals(Failure.FAILED_PRECONDITION, refused(early).failure());
    assertEquals(Failure.FAILED_PRECONDITION, refused(late).failure());
    discovery.rotate(rotation);
    discovery.rotate(back);
    restart("");
    assertEquals(Failure.FAILED_PRECONDITION, refused(late).failure());
    assertEquals(Failure.FAILED_PRECONDITION, refused(rotation).failure());
    discovery.register(signed(owner, SECRET));
    discovery.token(request(COLONY, SECRET, "a"));
  }

  @Test
  void anyChangeBreaksTheSignature() throws Exception {
    restart("coral.discovery.limits.wrong-secret-weighs = 1");
    RegisterColonyRequest.Builder good =
        OwnerSignatures.sign(
            owner, announcement(COLONY, SECRET).setMeshIpv6("fd42::1").putMetadata("app", "shop"));
    List<RegisterColonyRequest.Builder> changed =
        List.of(
            good.clone().setMeshId("shop-prod-2"),
            good.clone().setWireguardPubkey("A".repeat(42) + "E="),
            good.clone().setPublicEndpoints(0, "203.0.113.66:41820"),
            good.clone().addPublicEndpoints("203.0.113.66:41820"),
            good.clone().setMeshIpv4("10.42.0.2"),
            good.clone().clearMeshIpv6(),
            good.clone().setConnectPort(666),
            good.clone().putMetadata("app", "other"),
            good.clone().putMetadata("more", ""),
            good.clone().setColonySecret(OTHER),
            good.clone().setOwner(good.getOwner().toBuilder().setSequence(Long.MAX_VALUE)),
            good.clone()
                .setOwner(
                    good.getOwner().toBuilder()
                        .setPublicKey(ByteString.copyFrom(stranger.publicKey().toBytes()))));
    for (RegisterColonyRequest.Builder bad : changed) {
      assertEquals(Failure.UNAUTHENTICATED, refused(bad).failure(), bad + "");
    }
    discovery.register(good);
    RotateColonySecretRequest.Builder rotation =
        OwnerSignatures.sign(owner, rotation(SECRET, OTHER));
    for (RotateColonySecretRequest.Builder bad :
        List.of(
            rotation.clone().setMeshId("shop-prod-2"),
            rotation.clone().setColonySecret(THIRD),
            rotation.clone().setNewColonySecret(THIRD),
            rotation.clone().clearGrace(),
            rotation.clone().setOwner(good.getOwner()))) {
      assertEquals(Failure.UNAUTHENTICATED, refused(bad).failure(), bad + "");
    }
    discovery.rotate(rotation);
  }

  @Test
  void proofsOutOfBoundsAreRefused() throws Exception {
    RegisterColonyRequest.Builder good = signed(owner, SECRET);
    OwnerProof proof = good.getOwner();
    byte[] smallOrder = new byte[32];
    smallOrder[0] = 1;
    for (OwnerProof.Builder bad :
        List.of(
            OwnerProof.newBuilder(),
            proof.toBuilder().clearPublicKey(),
            proof.toBuilder().setPublicKey(proof.getPublicKey().substring(1)),
            proof.toBuilder().setPublicKey(ByteString.copyFrom(smallOrder)),
            proof.toBuilder().setSequence(0),
            proof.toBuilder().setSequence(-1),
            proof.toBuilder().clearSignature(),
            proof.toBuilder()
                .setSignature(proof.getSignature().concat(ByteString.copyFrom(new byte[1]))))) {
      assertEquals(
          Failure.INVALID_ARGUMENT, refused(good.clone().setOwner(bad)).failure(), bad + "");
    }
    discovery.register(good);
  }

  /** Each costs discovery a verification: strangers are stopped by their source's limit. */
  @Test
  void s1BrokenSignaturesWeighAsMuchAsWrongSecrets() throws Exception {
    restart(
        "coral.discovery.limits { source { burst = 20, interval = 1s }, wrong-secret-weighs = 10"
            + " }");
    RegisterColonyRequest.Builder broken = signed(owner, SECRET).setConnectPort(666);
    assertEquals(Failure.UNAUTHENTICATED, refused(broken).failure());
    assertEquals(Failure.UNAUTHENTICATED, refused(broken).failure());
    RpcException limited = refused(broken);
    assertEquals(Failure.LIMIT_REACHED, limited.failure());
    assertEquals(Optional.of(Duration.ofSeconds(1)), limited.retryAfter());
  }

  /** What older colonies have registered, with this version of discovery or one before it. */
  @Test
  void aColonyOfASecretAloneGetsItsOwnerWithTheFirstProofBesideIt() throws Exception {
    directory = temporary.resolve("old");
    OldDirectory.create(directory, COLONY, SECRET, clock.instant());
    restart("");
    discovery.register(announcement(COLONY, SECRET));
    assertEquals(Failure.MESH_ID_TAKEN, refused(signed(stranger, OTHER)).failure());
    discovery.rotate(rotation(SECRET, OTHER));
    // Of two secrets the former one may be known to somebody.
    discovery.register(signed(stranger, SECRET));
    discovery.register(announcement(COLONY, OTHER));
    assertEquals(List.of(), warnings("belongs to the owner key"));
    discovery.register(signed(owner, OTHER));
    discovery.register(signed(owner, OTHER));
    assertEquals(
        1, warnings("belongs to the owner key " + owner.publicKey()).size(), logs.list + "");
    restart("");
    discovery.register(signed(owner, OTHER));
    assertEquals(1, warnings("belongs to the owner key").size());
    assertTaken(refused(announcement(COLONY, OTHER)));
    assertTaken(refused(signed(stranger, OTHER)));
  }

  @Test
  void theOperatorForgetsAColonyThatLostItsKey() throws Exception {
    discovery.register(signed(owner, SECRET));
    discovery.register(announcement("another", OTHER));
    assertEquals(
        "another - "
            + clock.instant()
            + "\n"
            + COLONY
            + " "
            + owner.publicKey()
            + " "
            + clock.instant()
            + "\n",
        ControlSocket.ask(directory, "colonies"));
    assertEquals(
        "error: nobody owns the mesh id unknown\n",
        ControlSocket.ask(directory, "colonies forget unknown"));
    assertTrue(
        ControlSocket.ask(directory, "colonies forget No Id").startsWith("error: a colony id"));
    assertTrue(ControlSocket.ask(directory, "colonies forget").startsWith("error: no such"));
    assertTaken(refused(signed(stranger, SECRET)));
    assertEquals(
        "forgotten " + COLONY + "\n", ControlSocket.ask(directory, "colonies forget " + COLONY));
    assertEquals(
        Failure.NOT_FOUND,
        assertThrows(RpcException.class, () -> discovery.lookup(COLONY)).failure());
    assertEquals(
        Failure.UNAUTHENTICATED,
        assertThrows(RpcException.class, () -> discovery.token(request(COLONY, SECRET, "a")))
            .failure());
    restart("");
    discovery.register(signed(stranger, THIRD));
    assertTaken(refused(signed(owner, SECRET)));
    restart("");
    assertTaken(refused(signed(owner, SECRET)));
    discovery.register(signed(stranger, THIRD));
    discovery.register(announcement("another", OTHER));
  }

  @Test
  void ownershipEndsWithTheRetention() throws Exception {
    discovery.register(signed(owner, SECRET));
    now.updateAndGet(t -> t.plus(Duration.ofDays(1)).plusSeconds(299));
    assertTaken(refused(signed(stranger, OTHER)));
    now.updateAndGet(t -> t.plusSeconds(1));
    discovery.register(signed(stranger, OTHER));
    restart("");
    assertTaken(refused(signed(owner, SECRET)));
  }
}
