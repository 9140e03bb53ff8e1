package coral.wireguard.embedded;

/**
 * ChaCha20-Poly1305 (RFC 8439) as transport data uses it: the nonce is four zeros and the counter,
 * little-endian, and there is no associated data (section 5.4.6). An instance belongs to one
 * thread; keys are given with each call, so that peers cost no cipher.
 */
interface PacketCipher {
  /** Encrypts; writes {@code length} bytes and a tag of 16. Input and output do not overlap. */
  void seal(
      byte[] key, long counter, byte[] in, int inOffset, int length, byte[] out, int outOffset);

  /**
   * Decrypts.
   *
   * @param length of the ciphertext with its tag
   * @return the length of the plaintext, or -1 if it is not authentic
   */
  int open(
      byte[] key, long counter, byte[] in, int inOffset, int length, byte[] out, int outOffset);
}
