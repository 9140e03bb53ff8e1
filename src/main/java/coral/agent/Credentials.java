package coral.agent;

import coral.certificate.Identity;
import coral.model.Fingerprint;

/**
 * What the agent shows and what it believes.
 *
 * @param pin the colony's certificate authority
 */
record Credentials(Fingerprint pin, Identity identity) {}
