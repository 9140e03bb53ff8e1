package coral.files;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The textual encoding of RFC 7468, in its strict form: a block is its begin line, base64 in lines,
 * its end line, and nothing but white space stands around it.
 */
public final class Pem {
  /** One certificate (RFC 7468, section 5). */
  public static final String CERTIFICATE = "CERTIFICATE";

  /** A request for a certificate (RFC 7468, section 7). */
  public static final String CERTIFICATE_REQUEST = "CERTIFICATE REQUEST";

  /** A list of revoked certificates (RFC 7468, section 6). */
  public static final String REVOCATION_LIST = "X509 CRL";

  /** A private key in PKCS#8, not encrypted (RFC 7468, section 10). */
  public static final String PRIVATE_KEY = "PRIVATE KEY";

  /** Bytes of a text that a stranger may send; a request with an RSA-4096 key has 1.7 KiB. */
  public static final int MAX_REQUEST_BYTES = 16 * 1024;

  /** Bytes of a chain or key that is read from disk or from a trusted peer. */
  public static final int MAX_BUNDLE_BYTES = 256 * 1024;

  /** Certificates in a chain or bundle. */
  public static final int MAX_CERTIFICATES = 64;

  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]{1,64})-----\\s([^-]*)-----END \\1-----\\s*");

  private static final Base64.Encoder BASE64 = Base64.getMimeEncoder(64, new byte[] {'\n'});

  private Pem() {}

  /**
   * The content of the only block of a text.
   *
   * @param type what stands after BEGIN, such as {@link #CERTIFICATE_REQUEST}
   * @param maxBytes a longer text is refused unread
   * @throws IllegalArgumentException if the text is anything but exactly one block of that type
   */
  public static byte[] decode(String type, byte[] text, int maxBytes) {
    List<byte[]> blocks = blocks(type, text, maxBytes, 1);
    return blocks.get(0);
  }

  /** One block of text, with a line feed at its end. */
  public static String encode(String type, byte[] der) {
    return "-----BEGIN "
        + type
        + "-----\n"
        + BASE64.encodeToString(der)
        + "\n-----END "
        + type
        + "-----\n";
  }

  /**
   * The certificates of a chain or bundle, in their order.
   *
   * @throws IllegalArgumentException if the text is anything but 1 to {@link #MAX_CERTIFICATES}
   *     certificates, or longer than {@link #MAX_BUNDLE_BYTES}
   */
  public static List<X509Certificate> certificates(byte[] text) {
    List<X509Certificate> chain = new ArrayList<>();
    for (byte[] der : blocks(CERTIFICATE, text, MAX_BUNDLE_BYTES, MAX_CERTIFICATES)) {
      chain.add(certificate(der));
    }
    return List.copyOf(chain);
  }

  /**
   * A certificate from its DER encoding.
   *
   * @throws IllegalArgumentException if it is none, or something follows it
   */
  public static X509Certificate certificate(byte[] der) {
    try {
      CertificateFactory factory = CertificateFactory.getInstance("X.509");
      X509Certificate certificate =
          (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(der));
      if (!Arrays.equals(certificate.getEncoded(), der)) {
        throw new IllegalArgumentException("not a certificate: bytes follow it");
      }
      return certificate;
    } catch (CertificateException e) {
      // Not the parser's words: they quote the bytes, which may be a stranger's.
      throw new IllegalArgumentException("not a certificate in DER", e);
    }
  }

  /** A chain as text, in the given order. */
  public static String encode(Collection<X509Certificate> chain) {
    StringBuilder text = new StringBuilder();
    for (X509Certificate certificate : chain) {
      text.append(encode(certificate));
    }
    return text.toString();
  }

  /** A certificate as text. */
  public static String encode(X509Certificate certificate) {
    try {
      return encode(CERTIFICATE, certificate.getEncoded());
    } catch (CertificateEncodingException e) {
      throw new IllegalArgumentException("a certificate without an encoding", e);
    }
  }

  /**
   * A private key: RSA, EC or Ed25519 in PKCS#8.
   *
   * @throws IllegalArgumentException if the text is anything else; the message says nothing of it
   */
  public static PrivateKey privateKey(byte[] text) {
    PKCS8EncodedKeySpec spec = new PKCS8EncodedKeySpec(decode(PRIVATE_KEY, text, MAX_BUNDLE_BYTES));
    // A key factory that cannot read a key asks every provider of the runtime: the usual ones
    // first.
    for (String algorithm : List.of("EC", "Ed25519", "RSA")) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(spec);
      } catch (InvalidKeySpecException e) {
        // A key of another algorithm: try the next.
      } catch (GeneralSecurityException e) {
        throw new AssertionError("every Java runtime of 17 and later has " + algorithm, e);
      }
    }
    throw new IllegalArgumentException("not an RSA, EC or Ed25519 private key in PKCS#8");
  }

  /**
   * A private key as text, for {@link SecureFiles} and nothing else.
   *
   * @throws IllegalArgumentException if the key cannot leave its device
   */
  public static String encode(PrivateKey key) {
    byte[] encoded = key.getEncoded();
    if (encoded == null || !"PKCS#8".equals(key.getFormat())) {
      throw new IllegalArgumentException("the private key cannot be exported");
    }
    return encode(PRIVATE_KEY, encoded);
  }

  /**
   * The certificates of a file, which others may read.
   *
   * @throws IOException naming the file if it is missing or is no chain
   */
  public static List<X509Certificate> readCertificates(Path file) throws IOException {
    byte[] text = SecureFiles.read(file, MAX_BUNDLE_BYTES);
    try {
      return certificates(text);
    } catch (IllegalArgumentException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
  }

  /**
   * The private key of a file that only its owner can read.
   *
   * @throws IOException naming the file if it is missing, open to others or no key
   */
  public static PrivateKey readPrivateKey(Path file) throws IOException {
    byte[] text = SecureFiles.readPrivate(file, MAX_BUNDLE_BYTES);
    try {
      return privateKey(text);
    } catch (IllegalArgumentException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    } finally {
      Arrays.fill(text, (byte) 0);
    }
  }

  private static List<byte[]> blocks(String type, byte[] text, int maxBytes, int maxBlocks) {
    if (text.length > maxBytes) {
      throw new IllegalArgumentException(
          "the PEM text has " + text.length + " bytes; at most " + maxBytes + " are read");
    }
    String characters = new String(text, StandardCharsets.US_ASCII).strip();
    Matcher matcher = BLOCK.matcher(characters);
    List<byte[]> blocks = new ArrayList<>();
    int position = 0;
    while (position < characters.length()) {
      if (!matcher.find(position) || matcher.start() != position) {
        throw new IllegalArgumentException("not PEM: expected a block of type " + type);
      }
      if (!matcher.group(1).equals(type)) {
        throw new IllegalArgumentException(
            "a PEM block of type " + matcher.group(1) + " where " + type + " is expected");
      }
      if (blocks.size() == maxBlocks) {
        throw new IllegalArgumentException("more than " + maxBlocks + " PEM block of type " + type);
      }
      blocks.add(base64(matcher.group(2)));
      position = matcher.end();
    }
    if (blocks.isEmpty()) {
      throw new IllegalArgumentException("not PEM: expected a block of type " + type);
    }
    return blocks;
  }

  /** The MIME decoder would skip characters that are not base64. */
  private static byte[] base64(String lines) {
    try {
      return Base64.getDecoder().decode(lines.replaceAll("[\r\n \t]", ""));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("not PEM: its base64 is malformed", e);
    }
  }
}
