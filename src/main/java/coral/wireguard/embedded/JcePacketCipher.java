package coral.wireguard.embedded;

import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * The Java runtime's own ChaCha20-Poly1305.
 *
 * <p>Java 17 refuses to initialize a cipher twice in a row with one key and nonce, also for
 * decryption, so that a forged datagram would make the genuine one fail. A cipher is therefore
 * initialized with another key in between where that would happen.
 */
final class JcePacketCipher implements PacketCipher {
  private static final String TRANSFORMATION = "ChaCha20-Poly1305";
  private static final SecretKeySpec OTHER_KEY = new SecretKeySpec(new byte[32], "ChaCha20");

  private final Cipher sealing = cipher();
  private final Cipher opening = cipher();
  private final byte[] nonce = new byte[12];
  private byte[] lastOpeningKey = {};
  private long lastOpeningCounter;

  @Override
  public void seal(
      byte[] key, long counter, byte[] in, int inOffset, int length, byte[] out, int outOffset) {
    try {
      initialize(sealing, Cipher.ENCRYPT_MODE, key, counter);
      sealing.doFinal(in, inOffset, length, out, outOffset);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("ChaCha20-Poly1305 failed to encrypt", e);
    }
  }

  @Override
  public int open(
      byte[] key, long counter, byte[] in, int inOffset, int length, byte[] out, int outOffset) {
    try {
      if (counter == lastOpeningCounter && Arrays.equals(key, lastOpeningKey)) {
        opening.init(Cipher.DECRYPT_MODE, OTHER_KEY, new IvParameterSpec(new byte[12]));
      }
      lastOpeningKey = key;
      lastOpeningCounter = counter;
      initialize(opening, Cipher.DECRYPT_MODE, key, counter);
      return opening.doFinal(in, inOffset, length, out, outOffset);
    } catch (AEADBadTagException e) {
      return -1;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("ChaCha20-Poly1305 failed to decrypt", e);
    }
  }

  private void initialize(Cipher cipher, int mode, byte[] key, long counter)
      throws GeneralSecurityException {
    for (int i = 0; i < Long.BYTES; i++) {
      nonce[4 + i] = (byte) (counter >>> (8 * i));
    }
    cipher.init(mode, new SecretKeySpec(key, "ChaCha20"), new IvParameterSpec(nonce));
  }

  private static Cipher cipher() {
    try {
      return Cipher.getInstance(TRANSFORMATION);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this Java runtime has no " + TRANSFORMATION, e);
    }
  }
}
