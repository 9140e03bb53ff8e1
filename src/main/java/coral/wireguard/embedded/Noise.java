package coral.wireguard.embedded;

import java.nio.charset.StandardCharsets;
import org.bouncycastle.crypto.InvalidCipherTextException;
import org.bouncycastle.crypto.modes.ChaCha20Poly1305;
import org.bouncycastle.crypto.params.AEADParameters;
import org.bouncycastle.crypto.params.KeyParameter;
import org.jspecify.annotations.Nullable;

/**
 * The symmetric state of a Noise_IKpsk2 handshake (Noise specification, section 5.2, in WireGuard's
 * terms of section 5.4): a chaining key and a hash of all that was said.
 */
final class Noise {
  static final byte[] MAC1_LABEL = ascii("mac1----");

  private static final byte[] CONSTRUCTION =
      Blake2s.hash(ascii("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"));
  private static final byte[] IDENTIFIER =
      Blake2s.hash(CONSTRUCTION, ascii("WireGuard v1 zx2c4 Jason@zx2c4.com"));
  private static final byte[] NOTHING = {};
  private static final byte[] FIRST_NONCE = new byte[12];

  private byte[] chainingKey;
  private byte[] hash;
  private byte[] key = NOTHING;

  /** The state before the first message to the owner of this public key. */
  Noise(byte[] responder) {
    chainingKey = CONSTRUCTION;
    hash = Blake2s.hash(IDENTIFIER, responder);
  }

  private Noise(byte[] chainingKey, byte[] hash) {
    this.chainingKey = chainingKey;
    this.hash = hash;
  }

  /** For trying a message that may turn out to be forged. */
  Noise copy() {
    return new Noise(chainingKey, hash);
  }

  /** Takes in a public ephemeral key. */
  void mixEphemeral(byte[] publicKey) {
    hash = Blake2s.hash(hash, publicKey);
    chainingKey = Blake2s.derive(1, chainingKey, publicKey)[0];
  }

  /** Takes in a shared secret; it is the key of the next {@link #seal} or {@link #open}. */
  void mixSecret(byte[] secret) {
    byte[][] derived = Blake2s.derive(2, chainingKey, secret);
    chainingKey = derived[0];
    key = derived[1];
  }

  /** Takes in the preshared key, zeros if there is none. */
  void mixPresharedKey(byte[] presharedKey) {
    byte[][] derived = Blake2s.derive(3, chainingKey, presharedKey);
    chainingKey = derived[0];
    hash = Blake2s.hash(hash, derived[1]);
    key = derived[2];
  }

  /** The plaintext encrypted and followed by its tag. */
  byte[] seal(byte[] plaintext) {
    try {
      byte[] sealed = process(true, plaintext);
      hash = Blake2s.hash(hash, sealed);
      return sealed;
    } catch (InvalidCipherTextException e) {
      throw new AssertionError("only opening can find a wrong tag", e);
    }
  }

  /** The plaintext, or null if it is not authentic; the state is of no use then. */
  byte @Nullable [] open(byte[] sealed) {
    try {
      byte[] plaintext = process(false, sealed);
      hash = Blake2s.hash(hash, sealed);
      return plaintext;
    } catch (InvalidCipherTextException e) {
      return null;
    }
  }

  /** The transport keys: the initiator's sending key, then the responder's (section 5.4.5). */
  byte[][] split() {
    return Blake2s.derive(2, chainingKey, NOTHING);
  }

  private byte[] process(boolean encrypt, byte[] input) throws InvalidCipherTextException {
    ChaCha20Poly1305 cipher = new ChaCha20Poly1305();
    cipher.init(
        encrypt,
        new AEADParameters(new KeyParameter(key), Messages.TAG_LENGTH * 8, FIRST_NONCE, hash));
    byte[] output = new byte[cipher.getOutputSize(input.length)];
    int written = cipher.processBytes(input, 0, input.length, output, 0);
    cipher.doFinal(output, written);
    return output;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
