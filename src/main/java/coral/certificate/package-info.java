/**
 * The colony as a certificate authority (RFD 020): its root, what a certificate says, which
 * requests are granted, and the record of every certificate that was issued. {@link
 * coral.certificate.CertificateLedger} decides, {@link coral.certificate.CertificateAuthority} is
 * the actor around it, {@link coral.certificate.CertificateIndex} answers TLS and each call without
 * an actor. Used by the colony; the agent uses {@link coral.certificate.CertificateRequests} and
 * {@link coral.certificate.Identity}.
 */
@NullMarked
package coral.certificate;

import org.jspecify.annotations.NullMarked;
