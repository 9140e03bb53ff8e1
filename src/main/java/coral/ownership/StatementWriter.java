package coral.ownership;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Writes fields so that no two lists of fields have the same bytes: everything of variable length
 * has its length before it.
 */
final class StatementWriter {
  /** No signature for another purpose begins like it, nor does one for another rpc. */
  private static final String DOMAIN = "coral-owner/v1/";

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  StatementWriter(String rpc, long sequence) {
    out.writeBytes((DOMAIN + rpc + "\n").getBytes(StandardCharsets.US_ASCII));
    number(sequence);
  }

  StatementWriter number(long number) {
    out.writeBytes(ByteBuffer.allocate(Long.BYTES).putLong(number).array());
    return this;
  }

  StatementWriter text(String text) {
    return block(text.getBytes(StandardCharsets.UTF_8));
  }

  private StatementWriter block(byte[] bytes) {
    number(bytes.length);
    out.writeBytes(bytes);
    return this;
  }

  StatementWriter texts(List<String> texts) {
    number(texts.size());
    texts.forEach(this::text);
    return this;
  }

  /** In the order of the keys' bytes, which is not the one of {@code String.compareTo}. */
  StatementWriter entries(Map<String, String> entries) {
    number(entries.size());
    entries.entrySet().stream()
        .map(
            entry ->
                List.of(
                    entry.getKey().getBytes(StandardCharsets.UTF_8),
                    entry.getValue().getBytes(StandardCharsets.UTF_8)))
        .sorted((one, other) -> Arrays.compareUnsigned(one.get(0), other.get(0)))
        .forEach(entry -> entry.forEach(this::block));
    return this;
  }

  byte[] toByteArray() {
    return out.toByteArray();
  }
}
