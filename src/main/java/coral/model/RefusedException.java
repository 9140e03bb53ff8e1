package coral.model;

/** A {@link Refused} on its way to the edge that turns it into a status. */
public final class RefusedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Refused refused;

  public RefusedException(Refused refused) {
    super(refused.message());
    this.refused = refused;
  }

  public RefusedException(Failure failure, String message) {
    this(new Refused(failure, message));
  }

  public Refused refused() {
    return refused;
  }
}
