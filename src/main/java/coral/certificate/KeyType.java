package coral.certificate;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.RSAKeyGenParameterSpec;

/** The kinds of key that Coral makes for a certificate. */
public enum KeyType {
  /** RFD 020: the key of an agent. */
  RSA_2048("RSA", new RSAKeyGenParameterSpec(2048, RSAKeyGenParameterSpec.F4)),
  /** As strong as P-256. */
  RSA_3072("RSA", new RSAKeyGenParameterSpec(3072, RSAKeyGenParameterSpec.F4)),
  /** RFD 020: the key of a colony's root. */
  RSA_4096("RSA", new RSAKeyGenParameterSpec(4096, RSAKeyGenParameterSpec.F4)),
  /** NIST P-256: made in a hundredth of the time of RSA. */
  P_256("EC", new ECGenParameterSpec("secp256r1"));

  private final String algorithm;

  @SuppressWarnings("ImmutableEnumChecker") // both kinds of parameters are immutable
  private final AlgorithmParameterSpec parameters;

  KeyType(String algorithm, AlgorithmParameterSpec parameters) {
    this.algorithm = algorithm;
    this.parameters = parameters;
  }

  /** A new key pair; takes up to seconds for RSA-4096. */
  public KeyPair generate() {
    try {
      return generate(
          this == RSA_4096 ? NativeRsa.generator() : KeyPairGenerator.getInstance(algorithm));
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every Java runtime makes " + this, e);
    }
  }

  /** A new key pair by a generator of {@link #algorithm}. */
  KeyPair generate(KeyPairGenerator generator) throws GeneralSecurityException {
    generator.initialize(parameters);
    return generator.generateKeyPair();
  }

  /** The family, as the Java runtime calls it. */
  String algorithm() {
    return algorithm;
  }
}
