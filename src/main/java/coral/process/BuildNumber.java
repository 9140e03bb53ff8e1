package coral.process;

import org.jspecify.annotations.Nullable;

/** The version that the build wrote into the jar. */
public final class BuildNumber {
  private BuildNumber() {}

  /** The version alone; {@code "development"} when not started from a jar. */
  public static String current() {
    @Nullable String version = BuildNumber.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }
}
