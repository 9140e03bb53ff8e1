package coral.testing;

import java.util.Set;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * What a test needs of the machine. A test without it is skipped, unless the system property {@code
 * tests.required} names it: then the test fails, so that no machine that should have everything
 * passes by skipping. {@code .ci/run} requires all of it.
 */
public enum Requirements {
  /** Root, TUN devices and network namespaces. */
  TUN("tun"),
  WIREGUARD_GO("wireguard-go"),
  OPENSSL("openssl"),
  /** Debian's testssl.sh. */
  TESTSSL("testssl"),
  /** A PKCS#11 device in software. */
  SOFTHSM("softhsm"),
  /** Reads what passes an interface. */
  TCPDUMP("tcpdump"),
  /** A kernel that tracks connections, and Debian's nftables, whose rules make it do so. */
  CONNTRACK("conntrack"),
  /** Node.js with npm: clients that others have made. */
  NODE("node"),
  /** Debian's graphviz, which reads what 'coral topology -o dot' writes. */
  GRAPHVIZ("graphviz"),
  /** A browser. */
  CHROMIUM("chromium"),
  /** Mounting a small file system of one's own. */
  MOUNT("mount"),
  ZSH("zsh"),
  FISH("fish");

  private static final String PROPERTY = "tests.required";

  private final String label;

  Requirements(String label) {
    this.label = label;
  }

  /**
   * Skips the test if the machine lacks this, or fails it.
   *
   * @param reason why it is not there, for people
   */
  public void check(boolean present, String reason) {
    check(present, reason, System.getProperty(PROPERTY, ""));
  }

  void check(boolean present, String reason, String required) {
    if (!present && Set.of(required.split(",", -1)).contains(label)) {
      Assertions.fail(label + " is required here: " + reason);
    }
    Assumptions.assumeTrue(present, reason);
  }
}
