package coral.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import coral.certificate.TrustBundle;
import coral.files.Pem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.List;

/** A trust bundle as the colony tells it, and as the agent keeps it. */
final class BundleRecord {
  /** A colony has one root, or two while one follows another; this is far more. */
  static final int MAX_ROOTS = 8;

  private static final ObjectMapper JSON = new ObjectMapper();

  private BundleRecord() {}

  /**
   * A bundle from what a colony says.
   *
   * @param version 0 if the colony does not say
   * @throws IllegalArgumentException if it is not 1 to {@link #MAX_ROOTS} authorities
   */
  static TrustBundle bundle(long version, byte[] pem) {
    List<X509Certificate> roots = Pem.certificates(pem);
    if (roots.size() > MAX_ROOTS) {
      throw new IllegalArgumentException("a trust bundle of " + roots.size() + " roots");
    }
    for (X509Certificate root : roots) {
      if (root.getBasicConstraints() < 0) {
        throw new IllegalArgumentException(
            root.getSubjectX500Principal() + " in the trust bundle is no authority");
      }
    }
    return new TrustBundle(Math.max(1, version), roots);
  }

  /** JSON, so that version and roots are one file. */
  static byte[] toBytes(TrustBundle bundle) {
    String json =
        JSON.createObjectNode()
            .put("version", bundle.version())
            .put("certificates", bundle.pem())
            .toPrettyString();
    return (json + "\n").getBytes(StandardCharsets.UTF_8);
  }

  /**
   * @throws IOException if the bytes are not what {@link #toBytes} writes
   */
  static TrustBundle parse(byte[] bytes) throws IOException {
    JsonNode json = JSON.readTree(bytes);
    try {
      return bundle(
          json.path("version").asLong(),
          json.path("certificates").asText().getBytes(StandardCharsets.US_ASCII));
    } catch (IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
  }
}
