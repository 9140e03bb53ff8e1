package coral.wireguard.embedded;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.WireGuardKey;
import coral.wireguard.KeyPair;
import coral.wireguard.PresharedKey;
import java.util.HexFormat;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Section 5.4: the handshake, both roles against each other. */
class HandshakeTest {
  private static final int OUR_INDEX = 0x01020304;
  private static final int THEIR_INDEX = 0xa0b0c0d0;

  private final KeyPair ours = KeyPair.generate();
  private final KeyPair theirs = KeyPair.generate();
  private final LocalIdentity initiator = new LocalIdentity(ours);
  private final LocalIdentity responder = new LocalIdentity(theirs);
  private final byte[] timestamp = HexFormat.of().parseHex("400000006789abcd01000000");

  @Test
  void bothSidesAgreeOnKeys() {
    InitiatorHandshake begun = begin(Optional.empty());
    ResponderHandshake opened = open(begun.message());
    assertEquals(ours.publicKey(), opened.initiator());
    assertArrayEquals(timestamp, opened.readTimestamp());
    ResponderHandshake.Response response = respond(opened, Optional.empty());
    SessionKeys keys = begun.finish(response.message()).orElseThrow();
    assertArrayEquals(keys.send(), response.keys().receive());
    assertArrayEquals(keys.receive(), response.keys().send());
    assertEquals(THEIR_INDEX, keys.receiver());
    assertEquals(OUR_INDEX, response.keys().receiver());
  }

  @Test
  void aPresharedKeyIsNeededOnBothSides() {
    Optional<PresharedKey> shared =
        Optional.of(PresharedKey.of(KeyPair.generate().privateKeyBytes()));
    assertTrue(finishes(shared, shared));
    assertFalse(finishes(shared, Optional.empty()));
    assertFalse(finishes(Optional.empty(), shared));
  }

  private boolean finishes(Optional<PresharedKey> atUs, Optional<PresharedKey> atThem) {
    InitiatorHandshake begun = begin(atUs);
    ResponderHandshake opened = open(begun.message());
    assertNotNull(opened.readTimestamp());
    return begun.finish(respond(opened, atThem).message()).isPresent();
  }

  /**
   * Every bit of an initiation that mac1 or a tag covers, one per byte, as someone who knows us.
   */
  @Test
  void aChangedInitiationIsRefused() {
    byte[] genuine = begin(Optional.empty()).message();
    for (int i = 0; i < 116; i++) {
      byte[] forged = genuine.clone();
      forged[i] ^= 1;
      assertTrue(ResponderHandshake.open(responder, forged).isEmpty(), "mac1 covers byte " + i);
      if (i >= 8) { // type and index are covered by mac1 only
        Messages.authenticate(forged, responder.mac1Key());
        assertTrue(
            ResponderHandshake.open(responder, forged)
                .map(ResponderHandshake::readTimestamp)
                .isEmpty(),
            "a tag covers byte " + i);
      }
    }
  }

  /** A forged response must not end the handshake that waits for the genuine one. */
  @Test
  void aChangedResponseIsRefusedAndTheGenuineOneStillTaken() {
    InitiatorHandshake begun = begin(Optional.empty());
    ResponderHandshake opened = open(begun.message());
    assertNotNull(opened.readTimestamp());
    byte[] genuine = respond(opened, Optional.empty()).message();
    for (int i = 8; i < 60; i++) {
      byte[] forged = genuine.clone();
      forged[i] ^= 1;
      assertTrue(begun.finish(forged).isEmpty(), "mac1 covers byte " + i);
      Messages.authenticate(forged, initiator.mac1Key());
      assertTrue(begun.finish(forged).isEmpty(), "a tag or the index covers byte " + i);
    }
    assertTrue(begun.finish(genuine).isPresent());
  }

  @Test
  void anInitiationToAnotherIsRefused() {
    LocalIdentity another = new LocalIdentity(KeyPair.generate());
    assertTrue(ResponderHandshake.open(another, begin(Optional.empty()).message()).isEmpty());
  }

  /** RFC 7748, section 6.1: the all-zero result of a point of low order is refused. */
  @Test
  void pointsOfLowOrderAreRefused() {
    byte[] one = new byte[32];
    one[0] = 1;
    RemoteIdentity remote = RemoteIdentity.of(WireGuardKey.of(one), Optional.empty());
    assertTrue(InitiatorHandshake.begin(initiator, remote, OUR_INDEX, timestamp).isEmpty());
    byte[] forged = begin(Optional.empty()).message();
    System.arraycopy(one, 0, forged, 8, one.length);
    Messages.authenticate(forged, responder.mac1Key());
    assertTrue(ResponderHandshake.open(responder, forged).isEmpty());
  }

  @Test
  void nobodyCanClaimAnotherKeyWithoutIt() {
    KeyPair thief = KeyPair.generate();
    InitiatorHandshake stolen =
        InitiatorHandshake.begin(
                new LocalIdentity(thief),
                RemoteIdentity.of(theirs.publicKey(), Optional.empty()),
                OUR_INDEX,
                timestamp)
            .orElseThrow();
    ResponderHandshake opened = open(stolen.message());
    assertEquals(thief.publicKey(), opened.initiator());
    byte[] mixed = stolen.message();
    System.arraycopy(begin(Optional.empty()).message(), 88, mixed, 88, 28);
    Messages.authenticate(mixed, responder.mac1Key());
    assertNull(open(mixed).readTimestamp());
  }

  /** RFC 7693, appendix B: BLAKE2s-256 of "abc". */
  @Test
  void hashesAreThoseOfTheStandard() {
    assertEquals(
        "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982",
        HexFormat.of().formatHex(Blake2s.hash(new byte[] {'a', 'b'}, new byte[] {'c'})));
  }

  /** RFC 7748, section 6.1: the keys of Alice and Bob, and what they agree on. */
  @Test
  void agreementsAreThoseOfTheStandard() {
    KeyPair alice =
        KeyPair.ofPrivateKey(
            hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
    KeyPair bob =
        KeyPair.ofPrivateKey(
            hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
    assertArrayEquals(
        hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"),
        alice.publicKey().toBytes());
    assertArrayEquals(
        hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"),
        bob.publicKey().toBytes());
    assertArrayEquals(
        hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"),
        new LocalIdentity(alice).agree(bob.publicKey().toBytes()).orElseThrow());
  }

  private static byte[] hex(String digits) {
    return HexFormat.of().parseHex(digits);
  }

  private InitiatorHandshake begin(Optional<PresharedKey> shared) {
    return InitiatorHandshake.begin(
            initiator, RemoteIdentity.of(theirs.publicKey(), shared), OUR_INDEX, timestamp)
        .orElseThrow();
  }

  private ResponderHandshake open(byte[] initiation) {
    return ResponderHandshake.open(responder, initiation).orElseThrow();
  }

  private ResponderHandshake.Response respond(
      ResponderHandshake opened, Optional<PresharedKey> shared) {
    return opened.respond(RemoteIdentity.of(ours.publicKey(), shared), THEIR_INDEX).orElseThrow();
  }
}
