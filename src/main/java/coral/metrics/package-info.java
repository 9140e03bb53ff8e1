/**
 * The numbers of a process, for those who watch many: counted by whoever has something to count,
 * written in the text format of Prometheus. The only place that knows the library behind it.
 *
 * <p>Labels have few values, all known before: enums, and the names of rpcs. Never an agent, an
 * address, or anything else of which strangers can make more, and never a secret.
 */
@NullMarked
package coral.metrics;

import org.jspecify.annotations.NullMarked;
