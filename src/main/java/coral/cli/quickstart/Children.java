package coral.cli.quickstart;

import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;

/** All processes of a quickstart, to end them in the reverse of the order in which they began. */
final class Children {
  private final InstantSource clock;

  /** Groups in the order of their start; the members of one group end at the same time. */
  private final Deque<List<Child>> groups = new ArrayDeque<>();

  private boolean closed;

  Children(InstantSource clock) {
    this.clock = clock;
  }

  /** From now on a started process depends on those before. */
  synchronized void newGroup() {
    groups.addLast(new ArrayList<>());
  }

  /**
   * Starts a process.
   *
   * @throws IOException if it cannot be started, or everything is being stopped
   */
  Child start(String name, Place place, ProcessBuilder builder, Consumer<String> output)
      throws IOException {
    synchronized (this) {
      requireOpen();
    }
    Child child = Child.start(name, place, builder, output);
    synchronized (this) {
      groups.getLast().add(child);
      if (closed) {
        child.kill();
        requireOpen();
      }
    }
    return child;
  }

  private void requireOpen() throws IOException {
    if (closed) {
      throw new IOException("the quickstart is being stopped");
    }
  }

  /**
   * Waits until a process ends that others depend on.
   *
   * @param others is told of each end in the last group, on which none depends
   */
  Child awaitEndOfServer(Consumer<Child> others) throws InterruptedException {
    CompletableFuture<Child> server = new CompletableFuture<>();
    synchronized (this) {
      for (List<Child> group : groups) {
        for (Child child : group) {
          var unused = child.onExit().thenRun(() -> ended(child, group, server, others));
        }
      }
    }
    try {
      return server.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  private void ended(
      Child child, List<Child> group, CompletableFuture<Child> server, Consumer<Child> others) {
    if (isClosed()) {
      return;
    }
    if (isLast(group)) {
      others.accept(child);
    } else {
      server.complete(child);
    }
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  @SuppressWarnings("ReferenceEquality") // two groups may hold equal processes only if they are one
  private synchronized boolean isLast(List<Child> group) {
    return group == groups.getLast();
  }

  /** Asks every process to end, and ends those that do not within the grace period. */
  void stop(Duration grace) {
    List<List<Child>> order = new ArrayList<>();
    synchronized (this) {
      closed = true;
      groups.descendingIterator().forEachRemaining(group -> order.add(List.copyOf(group)));
    }
    Deadline deadline = Deadline.in(grace, clock);
    boolean interrupted = false;
    for (List<Child> group : order) {
      group.forEach(Child::stop);
      for (Child child : group) {
        try {
          if (interrupted || !child.waitFor(deadline.remaining())) {
            child.kill();
            child.waitFor(grace);
          }
        } catch (InterruptedException e) {
          interrupted = true;
          child.kill();
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
