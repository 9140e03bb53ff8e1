package coral.proxy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/**
 * A process of this host, told from a later one that has its number.
 *
 * @param startedAt when it started, as the kernel counts: ticks since the host's start where there
 *     is {@code /proc}, which no change of the clock moves, else a time in UTC; to be compared and
 *     nothing else
 */
public record RunningProcess(long pid, String startedAt) {
  /** In {@code /proc/PID/stat}, behind the name in parentheses (proc(5)): the third field. */
  private static final int STATE = 0;

  /** As above, the 22nd field. */
  private static final int START_TIME = 19;

  /** This one. */
  public static RunningProcess current() {
    ProcessHandle self = ProcessHandle.current();
    return new RunningProcess(self.pid(), startOf(self).orElse(""));
  }

  /** Whether it runs still. One that has ended and that nobody has waited for does not. */
  public boolean isAlive() {
    return ProcessHandle.of(pid)
        .filter(ProcessHandle::isAlive)
        .flatMap(RunningProcess::startOf)
        .equals(Optional.of(startedAt));
  }

  /** To signal it with; empty if it has ended. */
  public Optional<ProcessHandle> handle() {
    return isAlive() ? ProcessHandle.of(pid) : Optional.empty();
  }

  private static Optional<String> startOf(ProcessHandle process) {
    Path stat = Path.of("/proc", Long.toString(process.pid()), "stat");
    try {
      // The name may hold anything, also parentheses and bytes that are no characters.
      String text = new String(Files.readAllBytes(stat), StandardCharsets.ISO_8859_1);
      String[] fields = text.substring(text.lastIndexOf(')') + 1).strip().split(" ", -1);
      boolean hasEnded = fields[STATE].equals("Z") || fields[STATE].equals("X");
      return hasEnded ? Optional.empty() : Optional.of(fields[START_TIME]);
    } catch (IOException e) {
      return Files.exists(Path.of("/proc/self/stat"))
          ? Optional.empty() // it ended meanwhile
          : process
              .info()
              .startInstant()
              .map(start -> start.truncatedTo(ChronoUnit.SECONDS))
              .map(Instant::toString);
    }
  }
}
