package coral.cli;

import coral.files.SecureFiles;
import coral.linux.LinuxProcess;
import coral.proxy.ProxyDirectory;
import coral.proxy.ProxyState;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * A proxy that goes on when the command that started it has ended: a process in a session of its
 * own, without a terminal, whose output is {@link ProxyDirectory#log}.
 */
final class BackgroundProxy {
  /** With what goes before it, this process can be started again. */
  private static final String MAIN = "coral.Main";

  /** A first start buys a certificate, and a silent tunnel is waited for. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** A proxy that is told to end does. */
  private static final Duration END = Duration.ofSeconds(10);

  private static final long LOOK_MILLIS = 50;

  private static final int SHOWN_LINES = 15;

  private BackgroundProxy() {}

  /** In the process that is the proxy: from now on it needs nobody. */
  static void detach(Path log) throws IOException {
    try {
      LinuxProcess.leaveTerminal();
    } catch (LinkageError e) {
      // without native calls: it ignores the terminal's end by its standard streams alone
    }
    PrintStream out =
        new PrintStream(BoundedLog.open(log, BoundedLog.MAX_BYTES), true, StandardCharsets.UTF_8);
    System.setOut(out);
    System.setErr(out);
  }

  /**
   * Starts a proxy, and waits until it forwards.
   *
   * @param arguments of {@code coral}
   * @param secrets variables of its environment, which other users cannot read, as arguments they
   *     can
   * @throws CommandFailedException if it ended, or did not reach its colony in time and was ended;
   *     with the reason
   */
  static ProxyState start(
      ProxyDirectory directory, List<String> arguments, Map<String, String> secrets)
      throws IOException, InterruptedException {
    SecureFiles.createDirectory(directory.path());
    List<String> line = new ArrayList<>(thisProgram());
    line.addAll(arguments);
    File log = directory.log().toFile();
    BoundedLog.open(directory.log(), BoundedLog.MAX_BYTES).close();
    ProcessBuilder builder =
        new ProcessBuilder(line)
            .directory(directory.path().toFile())
            .redirectInput(new File("/dev/null"))
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log))
            .redirectError(ProcessBuilder.Redirect.appendTo(log));
    builder.environment().putAll(secrets);
    int before = ProxyLogsCommand.last(directory.log(), Integer.MAX_VALUE).size();
    Process process = builder.start();
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    Optional<ProxyState> state = Optional.empty();
    while (!process.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
      state = directory.state().filter(told -> told.process().pid() == process.pid());
      if (state.filter(told -> told.status() == ProxyState.Status.CONNECTED).isPresent()) {
        return state.get();
      }
      if (System.nanoTime() > deadline) {
        process.destroy();
        if (!process.waitFor(END.toMillis(), TimeUnit.MILLISECONDS)) {
          process.destroyForcibly();
        }
        throw new CommandFailedException(
            "the proxy has not reached its colony within "
                + PATIENCE.toSeconds()
                + " s: "
                + state.flatMap(ProxyState::reason).orElse("it has not said why"),
            "Nothing is left running. All of its log: " + directory.log());
      }
    }
    throw new CommandFailedException(
        "the proxy has ended; the end of its log:\n" + written(directory.log(), before),
        "All of it is in " + directory.log() + ".");
  }

  private static String written(Path log, int before) throws IOException {
    List<String> all = ProxyLogsCommand.last(log, Integer.MAX_VALUE);
    List<String> own = all.subList(Math.min(before, all.size()), all.size());
    return own.subList(Math.max(0, own.size() - SHOWN_LINES), own.size()).stream()
        .map(text -> "  " + Table.printable(text))
        .collect(Collectors.joining("\n"));
  }

  /** This program, with the options of its virtual machine. */
  private static List<String> thisProgram() {
    ProcessHandle.Info self = ProcessHandle.current().info();
    List<String> arguments = Arrays.asList(self.arguments().orElse(new String[0]));
    int main = arguments.indexOf(MAIN);
    if (self.command().isPresent() && main >= 0) {
      List<String> line = new ArrayList<>();
      line.add(self.command().get());
      line.addAll(absolute(arguments.subList(0, main + 1)));
      return line;
    }
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-cp",
        absolutePath(System.getProperty("java.class.path", "")),
        MAIN);
  }

  /** The proxy works in another folder, where relative entries would lead nowhere. */
  private static List<String> absolute(List<String> options) {
    List<String> result = new ArrayList<>(options);
    for (int i = 1; i < result.size(); i++) {
      String before = result.get(i - 1);
      if (before.equals("-cp") || before.equals("-classpath") || before.equals("--class-path")) {
        result.set(i, absolutePath(result.get(i)));
      }
    }
    return result;
  }

  private static String absolutePath(String classPath) {
    return Arrays.stream(classPath.split(File.pathSeparator, -1))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }
}
