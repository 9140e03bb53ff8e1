package coral.cli;

import coral.proxy.ProxyDirectory;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code coral proxy logs}. */
@Command(
    name = "logs",
    description = {
      "Show what a proxy in the background has written.",
      "",
      "One in the foreground writes to its terminal. At most two files of 1 MiB are kept."
    },
    footer = {"Examples:", "  coral proxy logs my-app-a3f2e1 -n 20", "  coral proxy logs -f"})
final class ProxyLogsCommand implements Callable<Integer> {
  /** Some file systems tell of no changes. */
  private static final long LOOK_MILLIS = 500;

  @Spec private @Nullable CommandSpec spec;

  @Parameters(
      paramLabel = "COLONY",
      arity = "0..1",
      description = "Whose proxy (default: the only one that runs).")
  private @Nullable String colony;

  @Option(
      names = {"-n", "--lines"},
      paramLabel = "N",
      defaultValue = "50",
      description = "How many lines at most (default: ${DEFAULT-VALUE}).")
  private int lines = 50;

  @Option(
      names = {"-f", "--follow"},
      description = "Go on until Ctrl+C.")
  private boolean follow;

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (lines < 0) {
      throw new ParameterException(
          CoralCommand.given(spec).commandLine(), "--lines: expected 0 or more, not " + lines);
    }
    ProxyDirectory directory =
        new ProxyChoice(CoralCommand.root(spec).home()).choose(Optional.ofNullable(colony));
    Path log = directory.log();
    if (!Files.exists(log)) {
      throw new CommandFailedException(
          "there is no log of a proxy of " + directory.colonyId(),
          "It is written by 'coral proxy start " + directory.colonyId() + " --daemon'.");
    }
    PrintWriter out = CoralCommand.out(spec);
    long shown = Files.size(log);
    last(log, lines).forEach(out::println);
    out.flush();
    if (follow) {
      follow(log, shown, out);
    }
    return CommandLine.DONE;
  }

  static List<String> last(Path log, int count) throws IOException {
    List<String> all = new ArrayList<>();
    for (Path file : List.of(BoundedLog.former(log), log)) {
      if (Files.exists(file)) {
        all.addAll(new String(Files.readAllBytes(file), StandardCharsets.UTF_8).lines().toList());
      }
    }
    return all.subList(Math.max(0, all.size() - count), all.size());
  }

  private static void follow(Path log, long from, PrintWriter out)
      throws IOException, InterruptedException {
    long shown = from;
    Object file = key(log);
    try (WatchService changes = log.getFileSystem().newWatchService()) {
      Path folder = Objects.requireNonNull(log.getParent(), "a log is in a folder");
      folder.register(
          changes,
          StandardWatchEventKinds.ENTRY_MODIFY,
          StandardWatchEventKinds.ENTRY_CREATE,
          StandardWatchEventKinds.ENTRY_DELETE);
      while (!out.checkError()) {
        Object now = key(log);
        if (!now.equals(
            file)) { // another file has the name: what there was of the former is next to it
          print(BoundedLog.former(log), shown, out);
          file = now;
          shown = 0;
        }
        shown = print(log, shown, out);
        out.flush();
        WatchKey change = changes.poll(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        if (change != null) {
          change.pollEvents();
          change.reset();
        }
      }
    }
  }

  private static Object key(Path file) throws IOException {
    try {
      return Objects.requireNonNullElse(Files.getAttribute(file, "unix:ino"), 0L);
    } catch (NoSuchFileException e) {
      return 0L; // between its name and the next one's
    }
  }

  private static long print(Path file, long from, PrintWriter out) throws IOException {
    if (!Files.exists(file)) {
      return from;
    }
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      long length = in.length();
      if (length <= from) {
        return from;
      }
      in.seek(from);
      byte[] bytes = new byte[(int) (length - from)];
      in.readFully(bytes);
      out.print(new String(bytes, StandardCharsets.UTF_8));
      return length;
    }
  }
}
