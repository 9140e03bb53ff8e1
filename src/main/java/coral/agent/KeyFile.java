package coral.agent;

import coral.files.Pem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.PrivateKey;
import java.util.Arrays;

/**
 * A private key and what belongs to it, in one file: the two change together or not at all.
 *
 * @param rest PEM
 */
@SuppressWarnings("ArrayRecordComponent") // taken apart at once, compared by nobody
record KeyFile(PrivateKey key, byte[] rest) {

  /**
   * Takes a file apart.
   *
   * @param type of the first block behind the key
   * @throws IOException if the text is anything but a key with that; the message does not quote it
   */
  static KeyFile parse(byte[] bytes, String type) throws IOException {
    String text = new String(bytes, StandardCharsets.US_ASCII);
    int rest = text.indexOf("-----BEGIN " + type + "-----");
    if (rest < 0) {
      throw new IOException("there is no " + type + " in it");
    }
    try {
      return new KeyFile(
          Pem.privateKey(Arrays.copyOf(bytes, rest)),
          Arrays.copyOfRange(bytes, rest, bytes.length));
    } catch (IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
  }
}
