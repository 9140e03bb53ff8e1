package coral.cli;

import coral.process.BuildNumber;
import picocli.CommandLine.IVersionProvider;

/** The version that the build wrote into the jar. */
public final class BuildVersion implements IVersionProvider {
  /** Made by picocli. */
  public BuildVersion() {}

  @Override
  public String[] getVersion() {
    return new String[] {"coral " + BuildNumber.current()};
  }
}
