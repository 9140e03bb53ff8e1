package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import coral.model.AgentId;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.OCSPException;
import org.bouncycastle.cert.ocsp.OCSPResp;
import org.bouncycastle.operator.bc.BcDigestCalculatorProvider;

/** L7, L10: whatever bytes a stranger asks with, the answer is one of RFC 6960, and short. */
class OcspResponderFuzzTest {
  /** Sixteen certificates, a nonce, a signature and the chain of whoever made it. */
  private static final int MAX_RESPONSE_BYTES = 16 * 1024;

  /** Stand for what is another in each run: hashes of the issuer's name and key, and a serial. */
  private static final byte[] ISSUER_NAME = filled(20, 'N');

  private static final byte[] ISSUER_KEY = filled(20, 'K');
  private static final byte[] SERIAL = filled(16, 'S');

  private final OcspResponder responder;
  private final CertificateID known;

  OcspResponderFuzzTest() throws Exception {
    RecordedRevocations source = new RecordedRevocations();
    X509Certificate good =
        Roots.QUICK.issue(
            CertificateProfile.agent(Roots.COLONY, new AgentId("good")),
            Roots.EC.getPublic(),
            Roots.NOW,
            Duration.ofDays(1));
    source.issued(good);
    responder = new OcspResponder(Roots.QUICK, source, Roots.CLOCK);
    known =
        new CertificateID(
            new BcDigestCalculatorProvider().get(CertificateID.HASH_SHA1),
            new JcaX509CertificateHolder(Roots.QUICK.chain(good).get(1)),
            good.getSerialNumber());
  }

  private static byte[] filled(int length, char with) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) with);
    return bytes;
  }

  private static void replace(byte[] bytes, byte[] marker, byte[] with) {
    for (int at = 0; at + marker.length <= bytes.length; at++) {
      if (Arrays.equals(bytes, at, at + marker.length, marker, 0, marker.length)) {
        System.arraycopy(with, 0, bytes, at, marker.length);
      }
    }
  }

  @FuzzTest(maxDuration = "8s")
  void aRequestIsAnsweredOrRefusedInTheProtocol(byte[] input) throws IOException, OCSPException {
    byte[] request = input.clone();
    replace(request, ISSUER_NAME, known.getIssuerNameHash());
    replace(request, ISSUER_KEY, known.getIssuerKeyHash());
    replace(request, SERIAL, known.getSerialNumber().toByteArray());
    byte[] encoded = responder.respond(request);
    assertTrue(encoded.length < MAX_RESPONSE_BYTES, encoded.length + " bytes");
    OCSPResp response = new OCSPResp(encoded);
    boolean answers = response.getStatus() == 0;
    assertEquals(answers, response.getResponseObject() != null, "status " + response.getStatus());
    assertTrue(response.getStatus() <= 6 && response.getStatus() != 4, "a status of RFC 6960");
  }
}
