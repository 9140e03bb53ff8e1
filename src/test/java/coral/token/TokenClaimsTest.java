package coral.token;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.model.WireGuardKey;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Attacks with claims that discovery never signs, with the ids of the threat table. */
final class TokenClaimsTest extends VerifierCase {
  @Test
  void aTokenOfDiscoverySaysWhatDiscoverySaid() {
    assertEquals(token, verifier.verify(good, NOW));
  }

  /** RFD 020, "JWT Token Format". */
  @Test
  void aTokenHasTheHeaderAndTheClaimsOfTheSpecification() {
    ObjectNode header = Forgery.part(good, 0);
    assertEquals("EdDSA", header.get("alg").textValue());
    assertEquals("coral-reg+jwt", header.get("typ").textValue());
    assertEquals(key.publicKey().id(), header.get("kid").textValue());
    assertEquals(3, header.size());
    ObjectNode claims = Forgery.part(good, 1);
    assertEquals("coral-discovery", claims.get("iss").textValue());
    assertEquals("web-1", claims.get("sub").textValue());
    assertEquals(COLONY.value(), claims.get("aud").textValue());
    assertEquals(COLONY.value(), claims.get("colony_id").textValue());
    assertEquals(NOW.getEpochSecond(), claims.get("iat").longValue());
    assertEquals(NOW.getEpochSecond() + 60, claims.get("exp").longValue());
    assertEquals(22, claims.get("jti").textValue().length(), "128 bits");
    assertEquals(
        "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s",
        claims.get("cnf").get("spki#S256").textValue());
    assertEquals(8, claims.size());
  }

  /** J5: jjwt alone accepts a token without these. */
  @ParameterizedTest
  @ValueSource(strings = {"iss", "sub", "aud", "exp", "iat", "jti", "colony_id"})
  void j5EveryClaimIsRequiredAndOfItsType(String claim) {
    refused(Forgery.withClaims(key, good, claims -> claims.remove(claim)));
    refused(Forgery.withClaims(key, good, claims -> claims.putNull(claim)));
    refused(Forgery.withClaims(key, good, claims -> claims.putObject(claim)));
    refused(Forgery.withClaims(key, good, claims -> claims.putArray(claim)));
    refused(Forgery.withClaims(key, good, claims -> claims.put(claim, true)));
    refused(Forgery.withClaims(key, good, claims -> claims.put(claim, 1.5)));
  }

  /** J5: RFC 7519, section 4.1.4: a number, not a text. */
  @Test
  void j5TimesAreWholeNumbers() {
    long expires = token.expiresAt().getEpochSecond();
    refused(
        Forgery.withClaims(key, good, claims -> claims.put("exp", String.valueOf(expires))), "exp");
    refused(
        Forgery.withClaims(key, good, claims -> claims.put("exp", token.expiresAt().toString())),
        "exp");
    refused(Forgery.withClaims(key, good, claims -> claims.put("exp", expires + 0.5)), "exp");
    refused(Forgery.withClaims(key, good, claims -> claims.put("iat", -1)), "iat");
    refused(Forgery.withClaims(key, good, claims -> claims.put("iat", Long.MAX_VALUE)), "iat");
    refused(
        Forgery.signed(
            key,
            Forgery.part(good, 0).toString(),
            Forgery.part(good, 1).toString().replace("" + expires, "9".repeat(30))));
  }

  /** J5: what is good for years is no registration token. */
  @ParameterizedTest
  @ValueSource(longs = {61, 3600, 251_000_000_000L})
  void j5ATokenIsGoodForAMinuteAtMost(long seconds) {
    long issued = token.issuedAt().getEpochSecond();
    refused(
        Forgery.withClaims(key, good, claims -> claims.put("exp", issued + seconds)), "60 seconds");
  }

  /** J5 */
  @Test
  void j5ATokenThatEndsBeforeItBeginsIsRefused() {
    long issued = token.issuedAt().getEpochSecond();
    refused(Forgery.withClaims(key, good, claims -> claims.put("exp", issued)), "60 seconds");
    refused(Forgery.withClaims(key, good, claims -> claims.put("exp", issued - 1)), "60 seconds");
    refused(Forgery.withClaims(key, good, claims -> claims.put("nbf", issued + 30)));
  }

  /** J6: seconds of the colony's clock after the end of the token, or before its beginning. */
  @ParameterizedTest
  @CsvSource({
    "end,4,true",
    "end,5,false",
    "end,6,false",
    "start,-6,false",
    "start,-5,true",
    "start,-4,true"
  })
  void j6ClocksMayDifferByFiveSeconds(String from, long seconds, boolean isGood) {
    Instant at = (from.equals("end") ? token.expiresAt() : token.issuedAt()).plusSeconds(seconds);
    if (isGood) {
      assertEquals(token, verifier.verify(good, at));
    } else {
      String message = refusal(good, at).message();
      assertTrue(message.contains(from.equals("end") ? "expired" : "in the future"), message);
    }
  }

  /** J7: RFC 8725, sections 3.8 and 3.9. */
  @Test
  void j7ATokenIsForThisColonyAndNoOther() {
    String other = "shop-prod-ffffff";
    refused(Forgery.withClaims(key, good, claims -> claims.put("aud", other)), "colony");
    refused(Forgery.withClaims(key, good, claims -> claims.put("colony_id", other)), "colony");
    refused(
        Forgery.withClaims(key, good, claims -> claims.put("colony_id", other).put("aud", other)),
        "colony");
    refused(
        Forgery.withClaims(key, good, claims -> claims.put("aud", COLONY.value() + " ")), "colony");
    refused(Forgery.withClaims(key, good, claims -> claims.put("iss", "coral")), "issued by");
  }

  /** J7: an audience among others is not the only one. */
  @Test
  void j7AnAudienceOfManyIsRefused() {
    String mine = COLONY.value();
    String one = Forgery.withClaims(key, good, claims -> claims.putArray("aud").add(mine));
    assertEquals(token, verifier.verify(one, NOW));
    refused(
        Forgery.withClaims(key, good, claims -> claims.putArray("aud").add(mine).add("other")),
        "colony");
    refused(
        Forgery.withClaims(key, good, claims -> claims.putArray("aud").add(mine).add(mine)),
        "colony");
    refused(Forgery.withClaims(key, good, claims -> claims.putArray("aud").addArray().add(mine)));
  }

  /** J7: the subject becomes the name in a certificate. */
  @ParameterizedTest
  @ValueSource(strings = {"", "Web-1", "web 1", "web-1,CN=admin", "web\u0000", "-web", "w\u0435b"})
  void j7ASubjectIsTheIdOfAnAgent(String subject) {
    refused(Forgery.withClaims(key, good, claims -> claims.put("sub", subject)), "agent id");
  }

  /** J13: the token says which key it is good for. */
  @Test
  void j13ATokenIsBoundToTheKeyItWasAskedFor() {
    assertEquals(Optional.of(KEY_HASH), verifier.verify(good, NOW).keyHash());
    WireGuardKey wireGuardKey = WireGuardKey.of(wireGuardBytes());
    RegistrationToken bound =
        RegistrationToken.create(
            AGENT, COLONY, Optional.empty(), Optional.of(wireGuardKey), NOW, RANDOM);
    assertEquals(bound, verifier.verify(key.sign(bound), NOW));
    RegistrationToken unbound =
        RegistrationToken.create(AGENT, COLONY, Optional.empty(), Optional.empty(), NOW, RANDOM);
    assertEquals(unbound, verifier.verify(key.sign(unbound), NOW));
  }

  /** J13: a binding that is not understood must not pass for none. */
  @Test
  void j13ABindingIsUnderstoodOrTheTokenIsRefused() {
    List<Consumer<ObjectNode>> bindings =
        List.of(
            claims -> claims.putNull("cnf"),
            claims -> claims.put("cnf", "q6ur"),
            claims -> claims.putObject("cnf"),
            claims -> claims.putArray("cnf"),
            claims -> claims.putObject("cnf").put("jkt", "q6ur"),
            claims -> claims.putObject("cnf").put("spki#S256", "q6ur"),
            claims -> claims.putObject("cnf").put("spki#S256", ""),
            claims -> claims.putObject("cnf").put("spki#S256", "!".repeat(43)),
            claims -> claims.putObject("cnf").put("spki#S256", "A".repeat(42) + "B"),
            claims -> claims.putObject("cnf").putNull("spki#S256"),
            claims -> claims.putObject("cnf").put("wg", "AAAA"),
            claims -> claims.putObject("cnf").put("wg", "A".repeat(43) + "="),
            claims ->
                claims
                    .putObject("cnf")
                    .put("spki#S256", TokenKey.base64Url(KEY_HASH.toBytes()))
                    .put("wg", WireGuardKey.of(wireGuardBytes()).toString()));
    bindings.forEach(binding -> refused(Forgery.withClaims(key, good, binding)));
  }

  /** J15, as far as a verifier can: who has discovery's key names no other colony's agents. */
  @Test
  void j15ATokenOfATrustedKeyIsStillForOneAgentOfOneColony() {
    TokenVerifier other = new TokenVerifier(new ColonyId("other"), () -> accepted);
    RefusedException refused = assertThrows(RefusedException.class, () -> other.verify(good, NOW));
    assertEquals(Failure.UNAUTHENTICATED, refused.refused().failure());
  }

  /** Claims that a later discovery may add are not ours to judge (RFC 7519, section 4). */
  @Test
  void aClaimThatIsNotKnownIsIgnored() {
    String more = Forgery.withClaims(key, good, claims -> claims.put("region", "eu"));
    assertEquals(token, verifier.verify(more, NOW));
  }

  private static byte[] wireGuardBytes() {
    byte[] bytes = new byte[WireGuardKey.LENGTH];
    RANDOM.nextBytes(bytes);
    return bytes;
  }

  /** The skew is a constant of the contract, not a setting. */
  @Test
  void theBoundsAreThoseOfTheSpecification() {
    assertEquals(Duration.ofSeconds(60), RegistrationToken.LIFETIME);
    assertEquals(Duration.ofSeconds(5), TokenVerifier.CLOCK_SKEW);
  }
}
