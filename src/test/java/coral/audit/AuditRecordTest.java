package coral.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.AuditEvent;
import coral.model.AuditEvent.Kind;
import java.time.Instant;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AuditRecordTest {
  private static final Instant T = Instant.parse("2030-01-02T03:04:05.000006Z");

  private static final AuditEvent EVENT =
      new AuditEvent(
          Kind.ROLE_USED, "admin/root", "10.42.0.9", "192.0.2.1", "web-1", "why: ü", "request-1");

  /** The form is public: a log of years is verified with it. */
  @Test
  void theFormInWhichARecordIsHashedNeverChanges() {
    AuditRecord record = AuditRecord.of(EVENT, 7, T, AuditRecord.NO_HASH);
    String form =
        "01"
            + "0000000000000007"
            + "0006ba2d4473d346"
            + "00000009726f6c652d75736564"
            + "0000000a61646d696e2f726f6f74"
            + "0000000931302e34322e302e39"
            + "000000093139322e302e322e31"
            + "000000057765622d31"
            + "000000077768793a20c3bc"
            + "00000009726571756573742d31";
    assertEquals(form, HexFormat.of().formatHex(record.encoded()));
    assertEquals(
        Sha256.hex(new byte[32], HexFormat.of().parseHex(form)), record.hash(), "32 zeros first");
  }

  @Test
  void everyFieldCountsInTheHash() {
    Set<String> hashes = new HashSet<>();
    AuditChain chain = AuditChain.EMPTY;
    hashes.add(chain.next(EVENT, T).hash());
    hashes.add(chain.next(EVENT, T.plusNanos(1_000)).hash());
    hashes.add(chain.with(chain.next(EVENT, T)).next(EVENT, T).hash());
    hashes.add(chain.next(EVENT.by("admin/rooty"), T).hash());
    hashes.add(chain.next(EVENT.from("192.0.2.2"), T).hash());
    hashes.add(chain.next(EVENT.about("web-2"), T).hash());
    hashes.add(chain.next(EVENT.detail("why"), T).hash());
    hashes.add(chain.next(EVENT.request("request-2"), T).hash());
    // What moves from one field into the next is not the same.
    hashes.add(chain.next(EVENT.about("web-").detail("1why: ü"), T).hash());
    assertEquals(9, hashes.size());
  }

  @Test
  void aClockThatWasSetBackDoesNotShow() {
    AuditRecord first = AuditChain.EMPTY.next(EVENT, T);
    AuditRecord second = AuditChain.upTo(first).next(EVENT, T.minusSeconds(3600));
    assertEquals(T, second.time());
    assertNotEquals(first.hash(), second.hash());
  }

  @Test
  void textsAreMadeFitToBeKept() {
    String token = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";
    AuditEvent event =
        AuditEvent.of(Kind.TOKEN_REFUSED)
            .about("a\nb\u202ec\ud800")
            .request("x".repeat(1_000))
            .detail("token " + token + " and\n-----BEGIN PRIVATE KEY-----\nMIIE");
    assertEquals("a?b?c?", event.subject());
    assertEquals(AuditEvent.MAX_FIELD, event.requestId().length());
    assertEquals("token (hidden) and?(hidden)", event.detail());
    String cut = AuditEvent.of(Kind.TOKEN_REFUSED).detail("y".repeat(500) + token).detail();
    assertFalse(cut.contains("eyJ"), cut);
    String halved =
        AuditEvent.of(Kind.TOKEN_REFUSED).detail("y".repeat(511) + "\ud83d\ude00").detail();
    assertTrue(halved.endsWith("y?"), halved);
  }
}
