package coral.storage;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import com.fasterxml.jackson.module.paramnames.ParameterNamesModule;
import coral.model.JournalRecord;
import java.io.IOException;
import java.io.NotSerializableException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.serialization.SerializerWithStringManifest;

/**
 * Writes {@link JournalRecord}s as CBOR under the names of {@code coral.journal.manifests}, and
 * reads nothing else. Its mapper is its own, so that no setting of Pekko's changes the format;
 * unknown fields are ignored, so that a field may be added. Named in {@code journal.conf}.
 */
public final class JournalRecordSerializer extends SerializerWithStringManifest {
  /** Stands in every row of the journal; never changes. */
  private static final int IDENTIFIER = 1_940_019;

  private final ObjectMapper mapper =
      CBORMapper.builder()
          .addModule(new ParameterNamesModule())
          .addModule(new Jdk8Module())
          .addModule(new JavaTimeModule())
          .addModule(
              new SimpleModule("journal").addDeserializer(Instant.class, new InstantReader()))
          .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  private final Map<String, Class<?>> classes = new HashMap<>();
  private final Map<Class<?>, String> manifests = new HashMap<>();

  public JournalRecordSerializer(ExtendedActorSystem system) {
    JournalSettings.from(system.settings().config())
        .manifests()
        .forEach((manifest, name) -> add(manifest, name, system.dynamicAccess().classLoader()));
  }

  private void add(String manifest, String name, ClassLoader classLoader) {
    try {
      Class<?> type = Class.forName(name, false, classLoader);
      if (!JournalRecord.class.isAssignableFrom(type)) {
        throw new IllegalArgumentException(
            "coral.journal.manifests." + manifest + ": " + name + " is not a journal record");
      }
      classes.put(manifest, type);
      // Of several versions the last in alphabetical order is written; all can be read.
      manifests.put(type, manifest);
    } catch (ClassNotFoundException e) {
      throw new IllegalArgumentException(
          "coral.journal.manifests." + manifest + ": there is no class " + name, e);
    }
  }

  @Override
  public int identifier() {
    return IDENTIFIER;
  }

  @Override
  public String manifest(Object record) {
    String manifest = manifests.get(record.getClass());
    if (manifest == null) {
      throw new IllegalArgumentException(
          record.getClass().getName() + " has no name in coral.journal.manifests");
    }
    return manifest;
  }

  @Override
  public byte[] toBinary(Object record) {
    try {
      return mapper.writeValueAsBytes(record);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Object fromBinary(byte[] bytes, String manifest) throws NotSerializableException {
    Class<?> type = classes.get(manifest);
    if (type == null) {
      throw new NotSerializableException(
          "the journal holds a record '" + manifest + "' that this version does not know");
    }
    try {
      return mapper.readValue(bytes, type);
    } catch (IOException e) {
      throw new UncheckedIOException("a record '" + manifest + "' cannot be read", e);
    }
  }
}
