/**
 * How settings are read: {@code application.conf}, a file laid over it, {@code CORAL_*} environment
 * variables over both. Only the {@code *Settings} records of the processes use this; everybody else
 * is handed such a record.
 */
@NullMarked
package coral.settings;

import org.jspecify.annotations.NullMarked;
