package coral.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IVersionProvider;

/** The version that the build wrote into the jar. */
public final class BuildVersion implements IVersionProvider {
  /** Made by picocli. */
  public BuildVersion() {}

  @Override
  public String[] getVersion() {
    return new String[] {"coral " + number()};
  }

  /** The version alone; {@code "development"} when not started from a jar. */
  public static String number() {
    @Nullable String version = BuildVersion.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }
}
