package coral.wireguard.embedded;

import java.util.Arrays;
import org.bouncycastle.crypto.digests.Blake2sDigest;
import org.bouncycastle.crypto.macs.HMac;
import org.bouncycastle.crypto.params.KeyParameter;

/** The functions that section 5.4 builds on BLAKE2s (RFC 7693): Hash, Mac, Hmac and Kdf. */
final class Blake2s {
  static final int HASH_LENGTH = 32;
  static final int MAC_LENGTH = 16;

  private Blake2s() {}

  /** Hash: the digest of the parts, one after the other. */
  static byte[] hash(byte[]... parts) {
    Blake2sDigest digest = new Blake2sDigest(HASH_LENGTH * 8);
    for (byte[] part : parts) {
      digest.update(part, 0, part.length);
    }
    byte[] hash = new byte[HASH_LENGTH];
    digest.doFinal(hash, 0);
    return hash;
  }

  /** Mac: keyed BLAKE2s with an output of 16 bytes, over the first {@code length} bytes. */
  static byte[] mac(byte[] key, byte[] input, int length) {
    Blake2sDigest digest = new Blake2sDigest(key, MAC_LENGTH, null, null);
    digest.update(input, 0, length);
    byte[] mac = new byte[MAC_LENGTH];
    digest.doFinal(mac, 0);
    return mac;
  }

  /** Kdf_n: {@code n} keys of 32 bytes (HKDF, RFC 5869). */
  static byte[][] derive(int n, byte[] chainingKey, byte[] input) {
    byte[] secret = hmac(chainingKey, input);
    byte[][] keys = new byte[n][];
    byte[] previous = {};
    for (int i = 0; i < n; i++) {
      previous = hmac(secret, previous, new byte[] {(byte) (i + 1)});
      keys[i] = previous;
    }
    Arrays.fill(secret, (byte) 0);
    return keys;
  }

  private static byte[] hmac(byte[] key, byte[]... parts) {
    HMac hmac = new HMac(new Blake2sDigest(HASH_LENGTH * 8));
    hmac.init(new KeyParameter(key));
    for (byte[] part : parts) {
      hmac.update(part, 0, part.length);
    }
    byte[] mac = new byte[HASH_LENGTH];
    hmac.doFinal(mac, 0);
    return mac;
  }
}
