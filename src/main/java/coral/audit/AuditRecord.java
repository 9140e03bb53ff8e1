package coral.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import coral.model.AuditEvent;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;

/**
 * One row of the log. The texts are those of {@link AuditEvent}; the kind is a text here, because a
 * record may be of a version that knew other kinds.
 *
 * @param sequence from 1 on, without gaps
 * @param time when it was recorded, in whole microseconds; never before the record before it
 * @param hash SHA-256 over the hash of the record before it and {@link #encoded}, in 64 lower-case
 *     hexadecimal digits
 */
public record AuditRecord(
    long sequence,
    Instant time,
    String kind,
    String actor,
    String meshAddress,
    String sourceAddress,
    String subject,
    String detail,
    String requestId,
    String hash) {
  /** The hash before the first record: 32 bytes of zeros. */
  public static final String NO_HASH = "0".repeat(64);

  /** The first byte of {@link #encoded}; another form has another one. */
  private static final int VERSION = 1;

  /** The record of an event that follows the record with the hash {@code previousHash}. */
  static AuditRecord of(AuditEvent event, long sequence, Instant time, String previousHash) {
    AuditRecord unsealed =
        new AuditRecord(
            sequence,
            time.truncatedTo(ChronoUnit.MICROS),
            event.kind().wireName(),
            event.actor(),
            event.meshAddress(),
            event.sourceAddress(),
            event.subject(),
            event.detail(),
            event.requestId(),
            NO_HASH);
    return unsealed.withHash(unsealed.hashAfter(previousHash));
  }

  private AuditRecord withHash(String sealed) {
    return new AuditRecord(
        sequence,
        time,
        kind,
        actor,
        meshAddress,
        sourceAddress,
        subject,
        detail,
        requestId,
        sealed);
  }

  /** What {@link #hash} has to be if the record before it has the hash {@code previousHash}. */
  String hashAfter(String previousHash) {
    return Sha256.hex(HexFormat.of().parseHex(previousHash), encoded());
  }

  /**
   * The one form in which a record is hashed, version 1: a byte 1; the sequence number and the time
   * in microseconds since 1970, of eight bytes each; then kind, actor, mesh address, source
   * address, subject, detail and request id, each as its length in bytes, of four bytes, and its
   * UTF-8. Numbers are big-endian. No two records have the same form.
   */
  byte[] encoded() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeByte(VERSION);
      out.writeLong(sequence);
      out.writeLong(ChronoUnit.MICROS.between(Instant.EPOCH, time));
      write(out, kind);
      write(out, actor);
      write(out, meshAddress);
      write(out, sourceAddress);
      write(out, subject);
      write(out, detail);
      write(out, requestId);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static void write(DataOutputStream out, String text) throws IOException {
    byte[] bytes = text.getBytes(UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }
}
