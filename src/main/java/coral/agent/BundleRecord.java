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

  /** Bytes of PEM for all roots; one of RSA-4096 has 2 KiB. */
  static final int MAX_BYTES = 32 * 1024;

  private static final ObjectMapper JSON = new ObjectMapper();

  private BundleRecord() {}

  /**
   * A bundle from what a colony says, not yet believed.
   *
   * @param version 0 if the colony does not say
   * @param cross PEM of its cross-certificates; may be empty
   * @throws IllegalArgumentException if it is not 1 to {@link #MAX_ROOTS} authorities, or longer
   *     than {@link #MAX_BYTES}
   */
  static TrustBundle bundle(long version, byte[] pem, byte[] cross) {
    if (version < 0) {
      throw new IllegalArgumentException("a trust bundle's version is below 2^63");
    }
    return new TrustBundle(
        Math.max(1, version), authorities(pem), cross.length == 0 ? List.of() : authorities(cross));
  }

  private static List<X509Certificate> authorities(byte[] pem) {
    if (pem.length > MAX_BYTES) {
      throw new IllegalArgumentException(
          "a trust bundle of " + pem.length + " bytes; at most " + MAX_BYTES + " are read");
    }
    List<X509Certificate> authorities = Pem.certificates(pem);
    if (authorities.size() > MAX_ROOTS) {
      throw new IllegalArgumentException("a trust bundle of " + authorities.size() + " roots");
    }
    for (X509Certificate authority : authorities) {
      if (authority.getBasicConstraints() < 0) {
        throw new IllegalArgumentException(
            authority.getSubjectX500Principal() + " in the trust bundle is no authority");
      }
    }
    return authorities;
  }

  /** JSON, so that version and roots are one file; what vouched for them is not kept. */
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
          json.path("certificates").asText().getBytes(StandardCharsets.US_ASCII),
          new byte[0]);
    } catch (IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
  }
}
