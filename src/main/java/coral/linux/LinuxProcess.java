package coral.linux;

/** What this process is to the kernel. */
public final class LinuxProcess {
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

  /** Whether the effective user is 0. Root in a container may still lack every capability. */
  public static boolean isRoot() {
    return effectiveUserId() == 0;
  }
}
