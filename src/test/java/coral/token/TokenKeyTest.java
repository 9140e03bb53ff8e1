package coral.token;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsonwebtoken.Jwts;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Random;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.crypto.params.Ed25519PrivateKeyParameters;
import org.bouncycastle.crypto.util.PrivateKeyInfoFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys and signatures against the published examples of RFC 8032 and RFC 8037. */
final class TokenKeyTest {
  private static final HexFormat HEX = HexFormat.of();

  /** RFC 8032, section 7.1, TEST 1; the key of RFC 8037, appendix A. */
  private static final String SEED =
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

  private static final String PUBLIC =
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

  private static final String SIGNATURE_OF_NOTHING =
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
          + "d25bf5f0595bbe24655141438e7a100b";

  /** The order of the group (RFC 8032, section 5.1). */
  private static final BigInteger ORDER =
      BigInteger.TWO.pow(252).add(new BigInteger("27742317777372353535851937790883648493"));

  private final TokenKey key = TokenKey.of(HEX.parseHex(PUBLIC));

  /** RFC 8032, section 7.1, TEST 1. */
  @Test
  void aSignatureOfTheStandardHolds() {
    byte[] signature = HEX.parseHex(SIGNATURE_OF_NOTHING);
    assertTrue(key.verifies(new byte[0], signature));
    assertFalse(key.verifies(new byte[1], signature));
    for (int bit = 0; bit < 512; bit++) {
      byte[] flipped = signature.clone();
      flipped[bit / 8] ^= (byte) (1 << (bit % 8));
      assertFalse(key.verifies(new byte[0], flipped), "bit " + bit);
    }
    assertFalse(key.verifies(new byte[0], new byte[0]));
    assertFalse(key.verifies(new byte[0], new byte[64]));
  }

  /** RFC 8032, section 5.1.7: S is below the order, or a signature would have a second form. */
  @Test
  void aSignatureHasOneFormOnly() {
    byte[] signature = HEX.parseHex(SIGNATURE_OF_NOTHING);
    byte[] scalar = new byte[32];
    for (int i = 0; i < 32; i++) {
      scalar[31 - i] = signature[32 + i];
    }
    byte[] other = new BigInteger(1, scalar).add(ORDER).toByteArray();
    byte[] malleated = signature.clone();
    for (int i = 0; i < 32; i++) {
      malleated[32 + i] = i < other.length ? other[other.length - 1 - i] : 0;
    }
    assertFalse(key.verifies(new byte[0], malleated));
  }

  /** RFC 8037, appendix A.3. */
  @Test
  void aKeyIsNamedByItsThumbprint() {
    assertEquals("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", key.id());
  }

  /** RFC 8037, appendix A.4: what the library makes of our keys is the standard's JWS. */
  @Test
  void theLibrarySignsAsTheStandardDoes() throws IOException {
    PrivateKeyInfo info =
        PrivateKeyInfoFactory.createPrivateKeyInfo(
            new Ed25519PrivateKeyParameters(HEX.parseHex(SEED)));
    SigningKey signing = SigningKey.of(info);
    assertEquals(key, signing.publicKey());
    assertEquals(
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PG"
            + "cvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        Jwts.builder()
            .provider(TokenKey.PROVIDER)
            .content("Example of Ed25519 signing")
            .signWith(signing.privateKey(), Jwts.SIG.EdDSA)
            .compact());
  }

  @Test
  void aKeyIsReadAsItIsWritten() {
    assertEquals(key, TokenKey.parse(key.toString()));
    assertArrayEquals(HEX.parseHex(PUBLIC), key.toBytes());
    assertNotEquals(key, SigningKey.generate(new SecureRandom()).publicKey());
  }

  @Test
  void textThatIsNoKeyIsRefused() {
    String text = key.toString();
    for (String bad :
        new String[] {"", text + "=", text.substring(1), " " + text.substring(1), "!".repeat(44)}) {
      assertThrows(IllegalArgumentException.class, () -> TokenKey.parse(bad), bad);
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> TokenKey.parse(Base64.getEncoder().encodeToString(new byte[31]) + "===="));
  }

  /** Points of small order: with them, one signature would hold for many messages. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
      })
  void aPointThatIsNoPublicKeyIsRefused(String hex) {
    assertThrows(IllegalArgumentException.class, () -> TokenKey.of(HEX.parseHex(hex)));
  }

  /** Of the points that 32 bytes can name, one in eight is in the group that keys are from. */
  @Test
  void aPointOutsideOfTheGroupIsRefused() {
    long seed = new SecureRandom().nextLong();
    Random random = new Random(seed);
    int accepted = 0;
    for (int i = 0; i < 256; i++) {
      byte[] bytes = new byte[TokenKey.LENGTH];
      random.nextBytes(bytes);
      try {
        TokenKey.of(bytes);
        accepted++;
      } catch (IllegalArgumentException e) {
        // no point, or none of the group
      }
    }
    // 16 are expected, 128 if every point passed: 64 are many deviations from both.
    assertTrue(accepted < 64, accepted + " of 256 accepted, seed " + seed);
  }

  @Test
  void whatIsNoEd25519KeyIsNotASigningKey() throws IOException {
    PrivateKeyInfo x25519 =
        PrivateKeyInfoFactory.createPrivateKeyInfo(
            new org.bouncycastle.crypto.params.X25519PrivateKeyParameters(new SecureRandom()));
    assertThrows(IllegalArgumentException.class, () -> SigningKey.of(x25519));
  }

  /** S8 */
  @Test
  void noTextOfASigningKeyShowsThePrivateHalf() throws IOException {
    SigningKey signing =
        SigningKey.of(
            PrivateKeyInfoFactory.createPrivateKeyInfo(
                new Ed25519PrivateKeyParameters(HEX.parseHex(SEED))));
    assertEquals("SigningKey[" + key.id() + "]", signing.toString());
  }

  /** The text that is signed is a part of the protocol: every colony must make the same. */
  @Test
  void anEndorsementSignsTheTextOfTheProtocol() {
    SigningKey endorser = SigningKey.generate(new SecureRandom());
    Endorsement endorsement = endorser.endorse(key);
    assertEquals(endorser.publicKey().id(), endorsement.endorserId());
    String text =
        """
        coral-discovery-key/v1
        kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k
        11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\
        """;
    assertTrue(
        endorser
            .publicKey()
            .verifies(text.getBytes(StandardCharsets.US_ASCII), endorsement.signature()));
  }
}
