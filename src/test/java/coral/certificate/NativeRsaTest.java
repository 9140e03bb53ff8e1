package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Provider;
import java.security.Signature;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class NativeRsaTest {
  private static final byte[] MESSAGE = {1, 2, 3};

  @Test
  @EnabledOnOs(
      value = OS.LINUX,
      architectures = {"amd64", "aarch64"})
  void signsWhatTheJavaRuntimeVerifies() throws GeneralSecurityException {
    KeyPair keys = KeyPairGenerator.getInstance("RSA").generateKeyPair();
    Provider provider = NativeRsa.provider(keys.getPrivate()).orElseThrow();
    Signature signature = Signature.getInstance("SHA256withRSA", provider);
    signature.initSign(keys.getPrivate());
    signature.update(MESSAGE);
    byte[] signed = signature.sign();

    Signature verifier = Signature.getInstance("SHA256withRSA", "SunRsaSign");
    verifier.initVerify(keys.getPublic());
    verifier.update(MESSAGE);
    assertTrue(verifier.verify(signed));
    assertEquals("AmazonCorrettoCryptoProvider", signature.getProvider().getName());
  }

  @Test
  void leavesOtherKeysToTheirProviders() throws GeneralSecurityException {
    KeyPair keys = KeyPairGenerator.getInstance("EC").generateKeyPair();
    assertTrue(NativeRsa.provider(keys.getPrivate()).isEmpty());
  }
}
