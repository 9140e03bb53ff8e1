/**
 * The discovery process: a directory in which colonies announce where they can be reached. A pure
 * {@link coral.discovery.ColonyDirectory} decides, one actor guards it, one DuckDB file keeps it.
 * What it answers is looked up and never trusted.
 */
@NullMarked
package coral.discovery;

import org.jspecify.annotations.NullMarked;
