package coral.testing;

import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.opentest4j.AssertionFailedError;
import org.opentest4j.TestAbortedException;

class RequirementsTest {
  @Test
  void whatIsThereIsNeitherSkippedNorFailed() {
    Requirements.OPENSSL.check(true, "", "openssl");
    Requirements.OPENSSL.check(true, "", "");
  }

  @Test
  void whatIsMissingSkipsTheTest() {
    assertThrows(
        TestAbortedException.class, () -> Requirements.OPENSSL.check(false, "missing", "tun"));
  }

  @Test
  void whatIsMissingAndRequiredFailsTheTest() {
    assertThrows(
        AssertionFailedError.class,
        () -> Requirements.OPENSSL.check(false, "missing", "tun,openssl"));
  }
}
