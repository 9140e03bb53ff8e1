package coral.certificate;

import coral.files.Pem;
import java.io.IOException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPrivateKey;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.crypto.params.AsymmetricKeyParameter;
import org.bouncycastle.crypto.util.PrivateKeyFactory;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.bc.BcECContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * A certificate that signs, with its private key: a root, an intermediate, or what answers for one.
 *
 * <p>An RSA key in memory signs by {@link NativeRsa}, one of P-256 by BouncyCastle, which is five
 * times faster at it than Java 17. A key in a device signs there.
 */
record Issuer(X509Certificate certificate, PrivateKey key) {
  /**
   * Signs and reads back what was signed.
   *
   * @throws IllegalStateException if the key cannot sign
   */
  X509Certificate sign(X509v3CertificateBuilder builder) {
    return sign(builder, key);
  }

  /** {@link #sign(X509v3CertificateBuilder)} for a root, which is its own issuer. */
  static X509Certificate sign(X509v3CertificateBuilder builder, PrivateKey key) {
    try {
      return Pem.certificate(builder.build(signer(key)).getEncoded());
    } catch (IOException e) {
      throw new IllegalStateException("the certificate cannot be encoded", e);
    }
  }

  /** For one signature by SHA-256 with this key's algorithm. */
  ContentSigner signer() {
    return signer(key);
  }

  private static ContentSigner signer(PrivateKey key) {
    try {
      byte[] encoded = key instanceof ECPrivateKey ? key.getEncoded() : null;
      if (encoded != null) {
        AsymmetricKeyParameter parameter = PrivateKeyFactory.createKey(encoded);
        return new BcECContentSignerBuilder(
                new AlgorithmIdentifier(X9ObjectIdentifiers.ecdsa_with_SHA256),
                new AlgorithmIdentifier(NISTObjectIdentifiers.id_sha256))
            .build(parameter);
      }
      JcaContentSignerBuilder builder =
          new JcaContentSignerBuilder(PublicKeys.signatureAlgorithm(key.getAlgorithm()));
      NativeRsa.provider(key).ifPresent(builder::setProvider);
      return builder.build(key);
    } catch (OperatorCreationException | IOException e) {
      throw new IllegalStateException("the authority's key cannot sign", e);
    }
  }

  /** The name as it stands in the certificate. */
  X500Name name() {
    return X500Name.getInstance(certificate.getSubjectX500Principal().getEncoded());
  }

  SubjectPublicKeyInfo publicKey() {
    return SubjectPublicKeyInfo.getInstance(certificate.getPublicKey().getEncoded());
  }

  /** The subject key identifier, by which what it signed names it. */
  static byte[] keyIdentifier(X509Certificate certificate) {
    byte[] wrapped = certificate.getExtensionValue(Extension.subjectKeyIdentifier.getId());
    if (wrapped == null) {
      throw new IllegalArgumentException("the certificate has no subject key identifier");
    }
    return SubjectKeyIdentifier.getInstance(ASN1OctetString.getInstance(wrapped).getOctets())
        .getKeyIdentifier();
  }

  /** Without the private key. */
  @Override
  public String toString() {
    return "Issuer[" + certificate.getSubjectX500Principal() + "]";
  }
}
