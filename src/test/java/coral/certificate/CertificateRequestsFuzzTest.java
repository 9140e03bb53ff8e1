package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.RefusedException;
import java.nio.charset.StandardCharsets;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.Set;

/** C8, L10: whatever bytes a stranger sends as a request, they are refused or one request. */
class CertificateRequestsFuzzTest {
  private static final AgentId AGENT = new AgentId("web-1");
  private static final int SEQUENCE = 0x30;

  /** DER is put into PEM here, so that changes of its bytes reach the parser of requests. */
  @FuzzTest(maxDuration = "8s")
  void aRequestIsVerifiedOrRefused(byte[] input) {
    boolean isDer = input.length > 0 && input[0] == SEQUENCE;
    byte[] pem =
        isDer
            ? Pem.encode(Pem.CERTIFICATE_REQUEST, input).getBytes(StandardCharsets.US_ASCII)
            : input;
    VerifiedRequest verified;
    try {
      verified = CertificateRequests.verify(pem, AGENT);
    } catch (RefusedException e) {
      assertEquals(Failure.INVALID_ARGUMENT, e.refused().failure());
      assertTrue(e.refused().message().length() < 500, "a refusal is a sentence");
      return;
    }
    assertEquals(AGENT, verified.agentId());
    assertEquals(PublicKeys.hash(verified.publicKey()), verified.keyHash());
    assertTrue(isAllowed(verified.publicKey()), "the key policy holds");
  }

  private static boolean isAllowed(PublicKey key) {
    if (key instanceof RSAPublicKey rsa) {
      return rsa.getPublicExponent().intValueExact() == 65537
          && Set.of(2048, 3072, 4096).contains(rsa.getModulus().bitLength());
    }
    return key instanceof ECPublicKey ec && ec.getParams().getOrder().bitLength() == 256;
  }
}
