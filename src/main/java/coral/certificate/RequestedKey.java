package coral.certificate;

import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bouncycastle.asn1.ASN1BitString;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.RSAPublicKey;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.signers.ECDSASigner;
import org.bouncycastle.crypto.signers.StandardDSAEncoding;
import org.bouncycastle.math.ec.ECPoint;

/**
 * The key of a request, and the policy on it: RSA of 2048, 3072 or 4096 bits with the exponent
 * 65537, or P-256 by its name (compare the CA/Browser Forum's baseline requirements, sections 6.1.5
 * and 6.1.6).
 *
 * <p>RSA signatures are verified by the Java runtime's provider, which tests no modulus for
 * primality; P-256 by BouncyCastle, which is five times faster at it.
 */
sealed interface RequestedKey {
  /** The key, as the Java runtime's own provider holds it. */
  PublicKey publicKey();

  /**
   * Demands that the holder of the key signed a message.
   *
   * @throws IllegalArgumentException if it did not, or by an algorithm that is not allowed
   */
  void requireSignature(byte[] message, AlgorithmIdentifier algorithm, ASN1BitString signature);

  /**
   * A key within the policy.
   *
   * @throws IllegalArgumentException for any other, saying which are allowed
   */
  static RequestedKey parse(SubjectPublicKeyInfo info) {
    ASN1ObjectIdentifier algorithm = info.getAlgorithm().getAlgorithm();
    if (algorithm.equals(PKCSObjectIdentifiers.rsaEncryption)) {
      return Rsa.parse(info);
    }
    if (algorithm.equals(X9ObjectIdentifiers.id_ecPublicKey)) {
      return P256.parse(info);
    }
    throw new IllegalArgumentException(
        "its key is of a kind that is not allowed; use RSA 2048, 3072 or 4096, or P-256");
  }

  /**
   * The key from the runtime's provider. Its encoding must be the one that was sent: an agent is
   * bound to the hash of it, so a key has one encoding only.
   */
  private static PublicKey canonical(String algorithm, SubjectPublicKeyInfo info) {
    try {
      byte[] encoded = info.getEncoded(ASN1Encoding.DER);
      PublicKey key =
          KeyFactory.getInstance(algorithm).generatePublic(new X509EncodedKeySpec(encoded));
      if (Arrays.equals(key.getEncoded(), encoded)) {
        return key;
      }
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalArgumentException("its key is malformed", e);
    }
    throw new IllegalArgumentException("its key is not in its canonical encoding");
  }

  private static IllegalArgumentException notProved() {
    return new IllegalArgumentException("its signature does not prove possession of its key");
  }

  private static IllegalArgumentException notAllowed() {
    return new IllegalArgumentException(
        "it is signed by an algorithm that is not allowed; use SHA-256, SHA-384 or SHA-512");
  }

  /** RSA with PKCS#1 v1.5 signatures. */
  record Rsa(PublicKey publicKey) implements RequestedKey {
    private static final Set<Integer> BITS = Set.of(2048, 3072, 4096);
    private static final BigInteger EXPONENT = BigInteger.valueOf(65537);

    private static final Map<ASN1ObjectIdentifier, String> SIGNATURES =
        Map.of(
            PKCSObjectIdentifiers.sha256WithRSAEncryption, "SHA256withRSA",
            PKCSObjectIdentifiers.sha384WithRSAEncryption, "SHA384withRSA",
            PKCSObjectIdentifiers.sha512WithRSAEncryption, "SHA512withRSA");

    private static Rsa parse(SubjectPublicKeyInfo info) {
      RSAPublicKey key;
      try {
        key = RSAPublicKey.getInstance(info.parsePublicKey());
      } catch (IOException | RuntimeException e) {
        throw new IllegalArgumentException("its RSA key is malformed", e);
      }
      BigInteger modulus = key.getModulus();
      if (modulus.signum() <= 0 || !BITS.contains(modulus.bitLength())) {
        throw new IllegalArgumentException(
            "its RSA key has " + modulus.bitLength() + " bits; use 2048, 3072 or 4096");
      }
      if (!key.getPublicExponent().equals(EXPONENT)) {
        throw new IllegalArgumentException("its RSA key's public exponent is not 65537");
      }
      Optional<String> weakness = RsaModulus.weakness(modulus);
      if (weakness.isPresent()) {
        throw new IllegalArgumentException("its RSA key" + weakness.get());
      }
      return new Rsa(canonical("RSA", info));
    }

    @Override
    public void requireSignature(
        byte[] message, AlgorithmIdentifier algorithm, ASN1BitString signature) {
      String name = SIGNATURES.get(algorithm.getAlgorithm());
      if (name == null || !DERNull.INSTANCE.equals(algorithm.getParameters())) {
        throw notAllowed();
      }
      try {
        Signature verifier = Signature.getInstance(name);
        verifier.initVerify(publicKey);
        verifier.update(message);
        if (signature.getPadBits() != 0 || !verifier.verify(signature.getBytes())) {
          throw notProved();
        }
      } catch (GeneralSecurityException e) {
        IllegalArgumentException refused = notProved();
        refused.initCause(e);
        throw refused;
      }
    }
  }

  /** The curve P-256 with ECDSA signatures. */
  record P256(PublicKey publicKey, ECPoint point) implements RequestedKey {
    private static final X9ECParameters CURVE =
        CustomNamedCurves.getByOID(SECObjectIdentifiers.secp256r1);
    private static final ECDomainParameters DOMAIN = new ECDomainParameters(CURVE);

    /** The byte 4 and two coordinates (RFC 5480, section 2.2). */
    private static final int UNCOMPRESSED_LENGTH = 65;

    private static final Map<ASN1ObjectIdentifier, String> SIGNATURES =
        Map.of(
            X9ObjectIdentifiers.ecdsa_with_SHA256, "SHA-256",
            X9ObjectIdentifiers.ecdsa_with_SHA384, "SHA-384",
            X9ObjectIdentifiers.ecdsa_with_SHA512, "SHA-512");

    private static P256 parse(SubjectPublicKeyInfo info) {
      // Explicit parameters would let the sender choose the curve; so only its name will do.
      if (!SECObjectIdentifiers.secp256r1.equals(info.getAlgorithm().getParameters())) {
        throw new IllegalArgumentException(
            "its elliptic curve is not P-256 by name, the only one that is allowed");
      }
      byte[] encoded = info.getPublicKeyData().getBytes();
      if (encoded.length != UNCOMPRESSED_LENGTH || encoded[0] != 4) {
        throw new IllegalArgumentException("its P-256 key is not an uncompressed point");
      }
      ECPoint point;
      try {
        point = CURVE.getCurve().decodePoint(encoded);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException("its P-256 key is not a point of the curve", e);
      }
      return new P256(canonical("EC", info), point);
    }

    @Override
    public void requireSignature(
        byte[] message, AlgorithmIdentifier algorithm, ASN1BitString signature) {
      String digest = SIGNATURES.get(algorithm.getAlgorithm());
      if (digest == null || algorithm.getParameters() != null) {
        throw notAllowed();
      }
      try {
        byte[] hash = MessageDigest.getInstance(digest).digest(message);
        BigInteger[] pair =
            StandardDSAEncoding.INSTANCE.decode(DOMAIN.getN(), signature.getOctets());
        ECDSASigner verifier = new ECDSASigner();
        verifier.init(false, new ECPublicKeyParameters(point, DOMAIN));
        if (!verifier.verifySignature(hash, pair[0], pair[1])) {
          throw notProved();
        }
      } catch (GeneralSecurityException | IOException | IllegalStateException e) {
        IllegalArgumentException refused = notProved();
        refused.initCause(e);
        throw refused;
      }
    }
  }
}
