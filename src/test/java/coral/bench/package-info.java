/** What Coral does in a second, a start, and a session: {@code mvn -Pbench verify}. */
@NullMarked
package coral.bench;

import org.jspecify.annotations.NullMarked;
