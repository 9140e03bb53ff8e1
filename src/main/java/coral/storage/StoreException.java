package coral.storage;

import java.io.IOException;

/** The database cannot be opened, read or written; the message names the file and says why. */
public final class StoreException extends IOException {
  private static final long serialVersionUID = 1L;

  StoreException(String message) {
    super(message);
  }

  StoreException(String message, Throwable cause) {
    super(message, cause);
  }
}
