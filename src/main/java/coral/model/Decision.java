package coral.model;

import java.util.List;

/**
 * What a pure core decided: the events to journal, then the reply to give. Deciding changes
 * nothing.
 *
 * @param events in order; empty if there is nothing to change
 */
public record Decision<E, R>(List<E> events, R reply) {
  public Decision {
    events = List.copyOf(events);
  }

  /** A reply that changes nothing. */
  public static <E, R> Decision<E, R> reply(R reply) {
    return new Decision<>(List.of(), reply);
  }
}
