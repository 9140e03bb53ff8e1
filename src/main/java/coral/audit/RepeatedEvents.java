package coral.audit;

import coral.model.AuditEvent;
import coral.model.AuditEvent.Kind;
import coral.model.AuditSink;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * Keeps what somebody does again and again from filling the log: of events that are alike the first
 * is recorded, those of the next minute are counted, and then their number is recorded. Events are
 * alike whichever request caused them. Thread-safe.
 */
public final class RepeatedEvents implements AuditSink {
  /** What counts as one time. */
  static final Duration WINDOW = Duration.ofMinutes(1);

  /**
   * Different events that are remembered: with more of them at once, such as from many addresses,
   * those that came first are told of before their time.
   */
  static final int MAX_REMEMBERED = 10_000;

  private static final class Window {
    private final Instant begin;
    private long repeats;

    Window(Instant begin) {
      this.begin = begin;
    }
  }

  private final AuditSink log;
  private final Set<Kind> kinds;
  private final InstantSource clock;

  /** By what they are without their request; those that began first come first. */
  private final Map<AuditEvent, Window> windows = new LinkedHashMap<>();

  /**
   * @param log records what is left
   * @param kinds of which repeats are counted; others pass
   */
  public RepeatedEvents(AuditSink log, Set<Kind> kinds, InstantSource clock) {
    this.log = log;
    this.kinds = EnumSet.copyOf(kinds);
    this.clock = clock;
  }

  @Override
  public void record(AuditEvent event) {
    if (!kinds.contains(event.kind())) {
      log.record(event);
      return;
    }
    sweep();
    if (isFirst(event.ofAnyRequest())) {
      log.record(event);
    }
  }

  @Override
  public CompletionStage<Done> recorded(AuditEvent event) {
    return log.recorded(event);
  }

  private synchronized boolean isFirst(AuditEvent event) {
    Window known = windows.get(event);
    if (known == null) {
      windows.put(event, new Window(clock.instant()));
      return true;
    }
    known.repeats++;
    return false;
  }

  synchronized int remembered() {
    return windows.size();
  }

  /** Records the numbers of those minutes that are over. To be called every few seconds. */
  public void sweep() {
    over(false).forEach(log::record);
  }

  /** Records all numbers: nothing comes any more. */
  public void end() {
    over(true).forEach(log::record);
  }

  private synchronized List<AuditEvent> over(boolean all) {
    Instant now = clock.instant();
    List<AuditEvent> numbers = new ArrayList<>();
    List<AuditEvent> goOn = new ArrayList<>();
    Iterator<Map.Entry<AuditEvent, Window>> oldest = windows.entrySet().iterator();
    while (oldest.hasNext()) {
      Map.Entry<AuditEvent, Window> next = oldest.next();
      if (!all && !isOver(next.getValue(), now) && windows.size() <= MAX_REMEMBERED) {
        break;
      }
      if (next.getValue().repeats > 0) {
        numbers.add(number(next.getKey(), next.getValue().repeats));
        goOn.add(next.getKey());
      }
      oldest.remove();
    }
    if (!all) {
      // Who goes on is told of by the number, once a minute, and not by a first one as well.
      goOn.forEach(event -> windows.put(event, new Window(now)));
    }
    return numbers;
  }

  /** Also when the clock was set back: nobody waits until it has caught up. */
  private static boolean isOver(Window window, Instant now) {
    return now.isBefore(window.begin) || !now.isBefore(window.begin.plus(WINDOW));
  }

  private static AuditEvent number(AuditEvent event, long repeats) {
    return event.detail(
        repeats + (repeats == 1 ? " time more: " : " times more: ") + event.detail());
  }
}
