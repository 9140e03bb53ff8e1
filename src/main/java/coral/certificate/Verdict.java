package coral.certificate;

import coral.model.Refused;

/** What {@link IssuingRules} say to a request for a certificate. */
sealed interface Verdict {
  /**
   * A certificate is to be signed, and its event journaled behind those of the decision.
   *
   * @param generation that it begins
   * @param renewal whether the identity had one before
   */
  record Sign(CertificateRole role, long generation, String paymentId, boolean renewal)
      implements Verdict {}

  /** The answer to the same request again. */
  record Again(IssuedCertificate certificate, String certificatePem) implements Verdict {}

  /** No certificate. */
  record Refuse(Refused refused) implements Verdict {}
}
