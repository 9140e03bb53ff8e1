package coral.linux;

/** What this process is to the kernel. */
public final class LinuxProcess {
  /** Read, write and execute of group and others: 077. */
  private static final int OF_OTHERS = 7 << 3 | 7;

  private LinuxProcess() {}

  /**
   * The user whose rights this process has.
   *
   * @throws LinkageError where native calls are not possible; see {@link
   *     TunDevice#unavailableReason()}
   */
  public static int effectiveUserId() {
    return Libc.geteuid();
  }

  /**
   * From now on the files that this process makes, also those of native libraries, are for its user
   * only, as are those of the processes that it starts.
   *
   * @throws LinkageError as above
   */
  public static void closeNewFilesToOthers() {
    Libc.umask(OF_OTHERS);
  }

  /**
   * From now on this process belongs to no terminal: none that is closed ends it, and no Ctrl+C
   * reaches it. Without effect in a process that leads its group, such as one that a shell started
   * itself.
   *
   * @throws LinkageError as above
   */
  public static void leaveTerminal() {
    Libc.setsid();
  }

  /** Whether the effective user is 0. Root in a container may still lack every capability. */
  public static boolean isRoot() {
    return effectiveUserId() == 0;
  }
}
