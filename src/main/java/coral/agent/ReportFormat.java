package coral.agent;

/** What the agent writes to standard output; its log goes to standard error. */
public enum ReportFormat {
  NONE,
  /** Lines for people. */
  TEXT,
  /** The same, of a proxy with more of them and the time on each. */
  VERBOSE,
  /** One JSON object per line; see {@link AgentEvent}. */
  JSON
}
