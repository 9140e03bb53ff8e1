package coral.storage;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/** DuckDB's TIMESTAMP has no zone and microseconds: all of ours are UTC. */
final class Timestamps {
  /** An instant as a parameter or a value of a column; what is below a microsecond is cut off. */
  static LocalDateTime of(Instant instant) {
    return LocalDateTime.ofInstant(instant.truncatedTo(ChronoUnit.MICROS), ZoneOffset.UTC);
  }

  /** The instant in a column that is never NULL. */
  static Instant read(ResultSet result, int column) throws SQLException {
    return result.getObject(column, LocalDateTime.class).toInstant(ZoneOffset.UTC);
  }

  /** The instant in a column; empty for NULL. */
  static Optional<Instant> readOptional(ResultSet result, int column) throws SQLException {
    return Optional.ofNullable(result.getObject(column, LocalDateTime.class))
        .map(time -> time.toInstant(ZoneOffset.UTC));
  }

  private Timestamps() {}
}
