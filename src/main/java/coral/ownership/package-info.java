/**
 * Who owns a colony at discovery: a key that never leaves the colony, beside the secret that its
 * hosts know as well. A colony signs by its {@link coral.ownership.ColonyOwner} what it asks of
 * discovery; discovery keeps the {@link coral.model.Ed25519PublicKey} and verifies the same {@link
 * coral.ownership.OwnerStatement}.
 */
@NullMarked
package coral.ownership;

import org.jspecify.annotations.NullMarked;
