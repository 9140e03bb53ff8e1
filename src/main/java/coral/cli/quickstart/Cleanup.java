package coral.cli.quickstart;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What must be gone at the end, whoever ends it: it is closed in the reverse of the order in which
 * it was made. Nothing is made once the end has begun, and nobody passes {@link #close} before
 * everything is closed.
 */
final class Cleanup implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Cleanup.class);

  /** Something to be closed without an exception that is checked. */
  interface Resource extends AutoCloseable {
    @Override
    void close();
  }

  /** Makes a resource, or nothing. */
  @FunctionalInterface
  interface Maker<T extends Resource> {
    T make() throws IOException;
  }

  private final Deque<Resource> resources = new ArrayDeque<>();
  private volatile boolean closing;

  /**
   * Makes a resource and sees to its end.
   *
   * @throws IOException as the maker does, or because the end has begun
   */
  synchronized <T extends Resource> T make(Maker<T> maker) throws IOException {
    if (closing) {
      throw new IOException("the quickstart is being stopped");
    }
    T made = maker.make();
    resources.push(made);
    return made;
  }

  /** Whether the end has begun: what fails from now on fails because of it. */
  boolean isClosing() {
    return closing;
  }

  @Override
  public void close() {
    closing = true;
    synchronized (this) {
      while (!resources.isEmpty()) {
        Resource resource = resources.pop();
        try {
          resource.close();
        } catch (RuntimeException e) {
          // The others must go all the same.
          LOG.warn("Something of the quickstart is left: {}", e.getMessage());
        }
      }
    }
  }
}
