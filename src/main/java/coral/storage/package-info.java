/**
 * One DuckDB file per process: the journal behind pekko-persistence-jdbc, snapshots, and tables
 * that are projections of the journal. The processes open it; features never see it.
 */
@NullMarked
package coral.storage;

import org.jspecify.annotations.NullMarked;
