package coral.cli;

import coral.api.colony.v1.GetAuthorityStatusResponse;
import java.util.List;

/**
 * How far the next root of a colony has followed the present one, and what the fleet has to do
 * before it can go on.
 *
 * @param phase as the protocol names it; empty of an old colony
 * @param version of the trust bundle
 * @param agents all that have to follow
 * @param withBundle of them, those that trust the bundle
 * @param onActiveRoot of them, those whose certificate comes from the root that signs
 */
record Rotation(String phase, long version, long agents, long withBundle, long onActiveRoot) {
  private static final String STABLE = "stable";
  private static final String PREPARED = "prepared";
  private static final String DISTRIBUTED = "distributed";
  private static final String ACTIVE = "active";
  private static final String DRAINING = "draining";
  private static final String RETIRED = "retired";
  private static final List<String> PHASES =
      List.of(PREPARED, DISTRIBUTED, ACTIVE, DRAINING, RETIRED);

  private static final String ARROW = " > ";

  /** A terminal's, at least. */
  private static final int MAX_WIDTH = 80;

  static Rotation of(GetAuthorityStatusResponse status) {
    return new Rotation(
        status.getRotation(),
        status.getTrustBundleVersion(),
        status.getAgents(),
        status.getAgentsWithBundle(),
        status.getAgentsOnActiveRoot());
  }

  /** The agents that have done what this phase waits for. */
  long done() {
    return phase.equals(DRAINING) ? onActiveRoot : withBundle;
  }

  /** Whether nobody is missing. */
  boolean complete() {
    return done() >= agents;
  }

  /** What {@link #done} counts. */
  String progress() {
    String what = phase.equals(DRAINING) ? " have renewed" : " trust bundle " + version;
    return done() + " of " + agents + " agents" + what;
  }

  /** The phases in their order, the present one pointed at, with its count. */
  String picture() {
    String phases = String.join(ARROW, PHASES) + "\n";
    int at = PHASES.indexOf(phase);
    if (at < 0) {
      return phases + "not under way: " + progress() + "\n";
    }
    int column = PHASES.subList(0, at).stream().mapToInt(p -> p.length() + ARROW.length()).sum();
    String right = "^ " + progress();
    String left = progress() + " ^";
    String count =
        column + right.length() <= MAX_WIDTH
            ? " ".repeat(column) + right
            : " ".repeat(Math.max(0, column + 1 - left.length())) + left;
    return phases + count + "\n";
  }

  /** What the phase means, and how to go on or back. */
  String next() {
    return switch (phase) {
      case STABLE ->
          "One root signs and nothing else is trusted. 'coral ca rotate' prepares the next one.";
      case PREPARED ->
          "The next root is in the trust bundle and signs nothing."
              + (complete()
                  ? " Every agent trusts it: 'coral ca rotate' goes on."
                  : " 'coral ca rotate' goes on when every agent trusts it.");
      case DISTRIBUTED ->
          "Every agent trusts the next root. 'coral ca rotate' lets it sign from then on.";
      case ACTIVE ->
          "The next root signs; certificates of the former one are as good as ever. 'coral ca"
              + " rotate' has agents renew them.";
      case DRAINING ->
          "Agents renew what comes from the former root."
              + (complete()
                  ? " None is left: 'coral admin renew', then 'coral ca rotate' retires that root."
                  : " When none is left: 'coral admin renew', then 'coral ca rotate' retires that"
                      + " root.");
      case RETIRED ->
          "The former root is no longer trusted. 'coral ca rotate --back' brings it back; without"
              + " --back yet another root is prepared.";
      default -> "This command does not know the phase '" + Table.printable(phase) + "'.";
    };
  }
}
