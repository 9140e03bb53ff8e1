/** What tests share: networks and programs that run for real, and are gone when closed. */
@NullMarked
package coral.testing;

import org.jspecify.annotations.NullMarked;
