/**
 * Registration tokens (RFD 020, token draft): what discovery signs and a colony verifies before an
 * agent has a certificate.
 *
 * <p>In discovery a {@link coral.token.TokenIssuer} owns the {@link coral.token.SigningKeys}. A
 * colony follows them in its {@link coral.token.AcceptedKeys} from the one key that it pinned, and
 * asks a {@link coral.token.TokenVerifier}. A token is spent by whoever sells something for it, in
 * the same write: nothing here remembers tokens.
 */
@NullMarked
package coral.token;

import org.jspecify.annotations.NullMarked;
