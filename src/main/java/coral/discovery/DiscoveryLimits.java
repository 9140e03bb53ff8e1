package coral.discovery;

import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.Refused;
import coral.rpc.RateLimit;
import coral.rpc.RateLimitedException;
import coral.rpc.SourceNetwork;
import java.net.InetAddress;
import java.time.Duration;
import java.time.InstantSource;

/**
 * How much anybody may ask of a discovery service before it costs anything. What strangers do is
 * counted against where they come from; what is counted against a colony or an agent takes a proof
 * of the colony's secret, so that no stranger can use up what is theirs. Safe for use by several
 * threads.
 */
final class DiscoveryLimits {
  private enum Everybody {
    EVERYBODY
  }

  private record Agent(ColonyId meshId, AgentId agentId) {}

  private final int wrongSecretWeighs;
  private final RateLimit<SourceNetwork> lookups;
  private final RateLimit<SourceNetwork> sources;
  private final RateLimit<SourceNetwork> newColonies;
  private final RateLimit<ColonyId> comparisonsOfColony;
  private final RateLimit<Everybody> comparisons;
  private final RateLimit<Agent> tokensOfAgent;
  private final RateLimit<ColonyId> tokensOfColony;
  private final RateLimit<Everybody> tokens;

  DiscoveryLimits(LimitSettings settings, InstantSource clock) {
    this.wrongSecretWeighs = settings.wrongSecretWeighs();
    this.lookups = limit(settings.lookups(), clock);
    this.sources = limit(settings.source(), clock);
    this.newColonies = limit(settings.newColonies(), clock);
    this.comparisonsOfColony = limit(settings.comparisonsOfColony(), clock);
    this.comparisons = limit(settings.comparisons(), clock);
    this.tokensOfAgent = limit(settings.tokensOfAgent(), clock);
    this.tokensOfColony = limit(settings.tokensOfColony(), clock);
    this.tokens = limit(settings.tokens(), clock);
  }

  private static <K> RateLimit<K> limit(LimitSettings.Limit limit, InstantSource clock) {
    return new RateLimit<>(clock, limit.burst(), limit.interval());
  }

  /** Counts a question for what everybody may know, or refuses its source. */
  void requireLookup(InetAddress source) {
    require(lookups.take(SourceNetwork.of(source)), "too many questions came from this address");
  }

  /** Refuses a source that has come too often; counts nothing. */
  void requireSource(InetAddress source) {
    require(sources.delay(SourceNetwork.of(source)), "too many requests came from this address");
  }

  /** Counts a secret whose proof is not remembered against its source. */
  void unproven(InetAddress source) {
    sources.count(SourceNetwork.of(source));
  }

  /** Counts a wrong secret against its source, beyond {@link #unproven}. */
  void wrong(InetAddress source) {
    sources.count(SourceNetwork.of(source), wrongSecretWeighs - 1);
  }

  /** Refuses a source that has claimed too many mesh ids; counts nothing. */
  void requireNewColony(InetAddress source) {
    require(
        newColonies.delay(SourceNetwork.of(source)),
        "too many new mesh ids came from this address");
  }

  void newColony(InetAddress source) {
    newColonies.count(SourceNetwork.of(source));
  }

  /** Counts a comparison with a colony's hashes, or refuses it. */
  synchronized void requireComparison(ColonyId meshId) {
    require(comparisons.delay(Everybody.EVERYBODY), "too many secrets are being shown");
    require(comparisonsOfColony.take(meshId), "too many secrets were shown for this colony");
    comparisons.count(Everybody.EVERYBODY);
  }

  /**
   * Counts a token for an agent whose colony's secret was proved, against its source too; or
   * refuses it.
   */
  synchronized void requireToken(ColonyId meshId, AgentId agentId, InetAddress source) {
    Agent agent = new Agent(meshId, agentId);
    requireSource(source);
    require(tokensOfAgent.delay(agent), "this agent asks for too many tokens");
    require(tokensOfColony.delay(meshId), "the agents of this colony ask for too many tokens");
    require(tokens.delay(Everybody.EVERYBODY), "too many tokens are being asked for");
    sources.count(SourceNetwork.of(source));
    tokensOfAgent.count(agent);
    tokensOfColony.count(meshId);
    tokens.count(Everybody.EVERYBODY);
  }

  private static void require(Duration delay, String reason) {
    if (!delay.isZero()) {
      throw new RateLimitedException(
          new Refused(Failure.LIMIT_REACHED, reason + ": try again later"), delay);
    }
  }
}
