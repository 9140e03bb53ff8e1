package coral.model;

/**
 * An event or snapshot in the journal. The journal is a public format: each type has an explicit
 * manifest in {@code journal.conf}, never its class name.
 */
public interface JournalRecord {}
