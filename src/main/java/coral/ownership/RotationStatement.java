package coral.ownership;

import coral.model.Secret;
import java.time.Duration;

/**
 * RotateColonySecret.
 *
 * @param present the secret that is replaced
 * @param grace how long it stays good
 */
public record RotationStatement(String meshId, Secret present, Secret next, Duration grace)
    implements OwnerStatement {
  @Override
  public byte[] bytes(long sequence) {
    return new StatementWriter("RotateColonySecret", sequence)
        .text(meshId)
        .text(present.reveal())
        .text(next.reveal())
        .number(grace.getSeconds())
        .number(grace.getNano())
        .toByteArray();
  }
}
