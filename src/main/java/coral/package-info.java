/** The way in: {@code Main} hands the command line to {@code cli}, and nothing else lives here. */
@NullMarked
package coral;

import org.jspecify.annotations.NullMarked;
