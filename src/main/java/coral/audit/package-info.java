/**
 * What happened to identities, kept so that it cannot be changed without being noticed: records in
 * a chain of hashes, and signed roots over each hour of them. Used by the colony, which keeps the
 * log, and by the command line, which verifies it.
 */
@NullMarked
package coral.audit;

import org.jspecify.annotations.NullMarked;
