package coral.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A part of the table. */
interface Benchmark {
  /**
   * Measures.
   *
   * @param directory empty, and deleted afterwards
   * @param time that each measurement of a rate should take
   */
  List<Measurement> run(Path directory, Duration time) throws Exception;
}
