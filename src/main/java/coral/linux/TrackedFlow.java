package coral.linux;

import java.net.InetAddress;

/**
 * An entry of the kernel's connection tracking. It has a connection twice, as its opener's packets
 * are addressed and as the answers are; they differ where addresses are translated.
 *
 * @param protocol {@link #TCP}, {@link #UDP} or another of IANA's numbers
 * @param isAnswered whether packets have gone both ways
 * @param isEstablished whether it is a TCP connection that both sides have agreed to and neither
 *     has begun to close
 */
public record TrackedFlow(
    int protocol, boolean isAnswered, boolean isEstablished, Way original, Way reply) {
  public static final int TCP = 6;
  public static final int UDP = 17;

  /**
   * One way.
   *
   * @param bytes 0 where the kernel does not count them
   */
  public record Way(
      InetAddress source,
      int sourcePort,
      InetAddress destination,
      int destinationPort,
      long bytes) {}
}
