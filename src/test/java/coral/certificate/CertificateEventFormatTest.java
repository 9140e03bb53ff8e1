package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import com.fasterxml.jackson.module.paramnames.ParameterNamesModule;
import coral.model.AgentId;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** The journal is a public format: what was written once is read for ever. */
class CertificateEventFormatTest {
  private static final CertificateEvent.Issued ISSUED =
      new CertificateEvent.Issued(
          new AgentId("web-1.eu_west"),
          "4f00112233445566778899aabbccddee",
          "0123456789abcdef".repeat(4),
          "sha256:" + "fedcba9876543210".repeat(4),
          "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
          Instant.parse("2026-05-01T10:00:00.123456789Z"),
          Instant.parse("2026-07-30T10:00:00Z"));

  /** As the journal's serializer has it. */
  private final ObjectMapper mapper =
      CBORMapper.builder()
          .addModule(new ParameterNamesModule())
          .addModule(new Jdk8Module())
          .addModule(new JavaTimeModule())
          .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
          .build();

  @Test
  void issuedV1IsReadAsItWasWritten() throws IOException {
    assertEquals(ISSUED, mapper.readValue(golden(), CertificateEvent.Issued.class));
  }

  @Test
  void issuedV1IsWrittenAsItWas() throws IOException {
    assertArrayEquals(golden(), mapper.writeValueAsBytes(ISSUED));
  }

  @Test
  void issuedV1FillsALedger() throws IOException {
    CertificateLedger ledger = new CertificateLedger(1);
    mapper.readValue(golden(), CertificateEvent.Issued.class).applyTo(ledger);
    assertEquals(ISSUED.serial(), ledger.certificates(ISSUED.agentId()).get(0).serial());
  }

  private byte[] golden() throws IOException {
    try (InputStream in =
        CertificateEventFormatTest.class.getResourceAsStream(
            "/journal/certificate-issued-v1.cbor")) {
      assertNotNull(in);
      return in.readAllBytes();
    }
  }
}
