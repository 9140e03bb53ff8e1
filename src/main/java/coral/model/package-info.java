/**
 * Values that every other package speaks in: identities, addresses, keys, failures. Nothing here
 * knows an actor, a clock or a file, and nothing here imports another package of Coral.
 */
@NullMarked
package coral.model;

import org.jspecify.annotations.NullMarked;
