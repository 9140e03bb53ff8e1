package coral.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * A network of its own inside this machine ({@code network_namespaces(7)}): own links, addresses,
 * routes and ports. It has no name and no file; a thread of this process lives in it, and with the
 * process it is gone.
 *
 * <p>Sockets, threads and child processes that a task creates on that thread belong to the
 * namespace and stay there. That includes threads which the JDK creates as a side effect: let no
 * task be the first to use a pool of the whole JVM.
 */
public final class NetworkNamespace implements AutoCloseable {
  private final String name;
  private final ExecutorService executor;

  // Written once by the namespace's thread, before create() returns.
  private volatile long threadId;
  private volatile int fd = -1;
  private boolean closed;

  private NetworkNamespace(String name) {
    this.name = name;
    executor =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread thread = new Thread(task, name);
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * Creates a namespace with nothing in it but the loopback link, up.
   *
   * @param threadName the name of its thread, also in messages
   * @throws LinuxException without CAP_SYS_ADMIN
   */
  public static NetworkNamespace create(String threadName) throws IOException {
    NetworkNamespace namespace = new NetworkNamespace(threadName);
    boolean created = false;
    try {
      namespace.call(namespace::enter);
      created = true;
      return namespace;
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException("create the network namespace " + threadName, e);
    } finally {
      if (!created) {
        namespace.executor.shutdown();
      }
    }
  }

  @SuppressWarnings("ThreadId") // Thread.threadId() is not in Java 17.
  private Void enter() throws IOException {
    threadId = Thread.currentThread().getId();
    Libc.check(Libc.unshare(Libc.CLONE_NEWNET), "create the network namespace " + name);
    String handle = "/proc/thread-self/ns/net";
    fd = Libc.check(Libc.open(handle, Libc.O_RDONLY | Libc.O_CLOEXEC), "open " + handle);
    try (Netlink netlink = Netlink.open()) {
      netlink.setUp(netlink.indexOf("lo"), true);
    }
    return null;
  }

  /**
   * Runs a task in the namespace and waits for it. Tasks run one after the other; a task may call
   * this method again.
   *
   * @return the task's result
   * @throws Exception what the task threw, or InterruptedException; the task is then interrupted
   * @throws IllegalStateException if the namespace is closed
   */
  public <T> T call(Callable<T> task) throws Exception {
    if (Thread.currentThread().getId() == threadId) {
      return task.call();
    }
    Future<T> result;
    synchronized (this) {
      if (closed) {
        throw new IllegalStateException("the network namespace " + name + " is closed");
      }
      result = executor.submit(task);
    }
    try {
      return result.get();
    } catch (InterruptedException e) {
      result.cancel(true);
      throw e;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Exception exception) {
        throw exception;
      }
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw e;
    }
  }

  /** A file descriptor of the namespace, to move links there; valid until {@link #close}. */
  public int fd() {
    return fd;
  }

  /**
   * Removes every link of the namespace and ends its thread. The namespace itself lasts as long as
   * threads, processes and sockets that were created in it do, but cut off from the others.
   */
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
    }
    try {
      // The kernel would do it some time after the last user of the namespace is gone.
      call(
          () -> {
            removeLinks();
            return null;
          });
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      throw new UncheckedIOException("close the network namespace " + name, e);
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("close the network namespace " + name, e);
    } finally {
      synchronized (this) {
        if (!closed) {
          closed = true;
          executor.shutdown();
          Libc.close(fd);
        }
      }
    }
  }

  private static void removeLinks() throws IOException {
    try (Netlink netlink = Netlink.open()) {
      for (Netlink.Link link : netlink.links()) {
        try {
          netlink.removeLink(link.index());
        } catch (LinuxException e) {
          // The loopback link, and devices that only the kernel adds (tunl0, sit0) stay.
          if (e.errno() != Libc.EOPNOTSUPP && e.errno() != Libc.EINVAL) {
            throw e;
          }
        }
      }
    }
  }

  @Override
  public String toString() {
    return "NetworkNamespace[" + name + "]";
  }
}
