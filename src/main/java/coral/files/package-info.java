/**
 * Files that hold keys and certificates: private from their first byte, replaced as a whole or not
 * at all, and read only if nobody else could have changed or seen them. Used by every process that
 * keeps an identity on disk, and by {@code coral.certificate}.
 */
@NullMarked
package coral.files;

import org.jspecify.annotations.NullMarked;
