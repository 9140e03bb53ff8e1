/**
 * {@code coral quickstart}: a whole mesh on one machine. A discovery service, a colony and some
 * agents run as processes of their own, where possible in network namespaces of their own; the
 * host's interfaces, routes and resolver are never touched. Used by {@code coral.cli} only.
 */
@NullMarked
package coral.cli.quickstart;

import org.jspecify.annotations.NullMarked;
