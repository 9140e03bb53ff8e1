package coral.agent;

import coral.certificate.Identity;
import java.util.Optional;

/**
 * What the agent shows and what it believes.
 *
 * @param trust who speaks for the colony
 * @param paidWith {@link Payment#kind} of the certificate; empty if that is not known any more
 */
record Credentials(ColonyTrust trust, Identity identity, Optional<String> paidWith) {}
