package coral.files;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** RFC 7468. */
class PemTest {
  private static final String TYPE = Pem.CERTIFICATE_REQUEST;

  @Test
  void whatIsEncodedIsDecoded() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (int i = 0; i < 200; i++) {
      byte[] der = new byte[1 + random.nextInt(500)];
      random.nextBytes(der);
      byte[] text = Pem.encode(TYPE, der).getBytes(US_ASCII);
      assertArrayEquals(der, Pem.decode(TYPE, text, text.length), "seed " + seed);
    }
  }

  @Test
  void linesAreOf64Characters() {
    String text = Pem.encode(TYPE, new byte[200]);
    assertTrue(text.lines().allMatch(line -> line.length() <= 64), text);
  }

  @Test
  void lineEndsOfOtherSystemsAreRead() {
    String text = Pem.encode(TYPE, new byte[100]).replace("\n", "\r\n");
    assertEquals(100, decode(text).length);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "   \n",
        "hello",
        "-----BEGIN CERTIFICATE REQUEST-----\n-----BEGIN CERTIFICATE REQUEST-----",
        "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n",
        "-----BEGIN CERTIFICATE REQUEST-----\nAA*A\n-----END CERTIFICATE REQUEST-----",
        "-----BEGIN CERTIFICATE REQUEST-----\nAAAAA\n-----END CERTIFICATE REQUEST-----",
        "-----BEGIN CERTIFICATE REQUEST-----\nProc: 4\n\nAAAA\n-----END CERTIFICATE REQUEST-----",
        "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "-----BEGIN NEW CERTIFICATE REQUEST-----\nAAAA\n-----END NEW CERTIFICATE REQUEST-----",
        "x\n-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----",
        "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\nx"
      })
  void whatIsNotOneBlockOfTheTypeIsRefused(String text) {
    assertThrows(IllegalArgumentException.class, () -> decode(text));
  }

  @Test
  void twoBlocksAreRefusedWhereOneIsExpected() {
    String one = Pem.encode(TYPE, new byte[10]);
    assertThrows(IllegalArgumentException.class, () -> decode(one + one));
  }

  @Test
  void aLongTextIsRefusedUnread() {
    byte[] text = Pem.encode(TYPE, new byte[Pem.MAX_REQUEST_BYTES]).getBytes(US_ASCII);
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class, () -> Pem.decode(TYPE, text, Pem.MAX_REQUEST_BYTES));
    assertTrue(refused.toString().contains("at most 16384"), refused.toString());
  }

  /** A pattern that backtracks would take minutes for these. */
  @Test
  void hostileTextsOfTheLargestSizeAreRefusedQuickly() {
    for (String part : List.of("-", "-----BEGIN ", "-----BEGIN A-----\n", "A\n ", "-----END ")) {
      String body = part.repeat(Pem.MAX_REQUEST_BYTES / part.length() - 4);
      assertTimeout(
          Duration.ofSeconds(2),
          () -> {
            assertThrows(IllegalArgumentException.class, () -> decode(body));
            assertThrows(
                IllegalArgumentException.class,
                () -> decode("-----BEGIN CERTIFICATE REQUEST-----\n" + body));
          });
    }
  }

  @Test
  void privateKeysOfThreeKindsAreReadBack() throws Exception {
    for (String algorithm : List.of("RSA", "EC", "Ed25519")) {
      KeyPair keys = KeyPairGenerator.getInstance(algorithm).generateKeyPair();
      byte[] text = Pem.encode(keys.getPrivate()).getBytes(US_ASCII);
      assertArrayEquals(
          keys.getPrivate().getEncoded(), Pem.privateKey(text).getEncoded(), algorithm);
    }
  }

  @Test
  void aMalformedKeyIsRefusedWithoutBeingShown() {
    byte[] text = Pem.encode(Pem.PRIVATE_KEY, "secret".getBytes(US_ASCII)).getBytes(US_ASCII);
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> Pem.privateKey(text));
    assertFalse(refused.toString().contains("c2VjcmV0"), refused.toString());
  }

  @Test
  void whatIsNoCertificateIsRefused() {
    byte[] text = Pem.encode(Pem.CERTIFICATE, new byte[30]).getBytes(US_ASCII);
    assertThrows(IllegalArgumentException.class, () -> Pem.certificates(text));
  }

  private static byte[] decode(String text) {
    return Pem.decode(TYPE, text.getBytes(US_ASCII), Pem.MAX_REQUEST_BYTES);
  }
}
