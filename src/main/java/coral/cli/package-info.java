/**
 * The commands: one class per verb, each a thin layer over a process (started in the foreground) or
 * over one HTTPS call. A query loads no actor system. What people read as an answer goes to
 * standard output, everything else to standard error.
 */
@NullMarked
package coral.cli;

import org.jspecify.annotations.NullMarked;
