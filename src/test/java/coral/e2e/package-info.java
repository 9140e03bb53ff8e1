/** Whole processes against each other: the only tests that know more than one of them. */
@NullMarked
package coral.e2e;

import org.jspecify.annotations.NullMarked;
