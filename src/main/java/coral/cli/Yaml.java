package coral.cli;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator.Feature;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;

/**
 * Writes what {@link Json} wrote as YAML: the same names and values in the same order. Every text
 * is quoted: without, YAML 1.1 takes "no", "1_000" and many others for something else.
 */
final class Yaml {
  private static final YAMLFactory FACTORY =
      YAMLFactory.builder()
          .disable(Feature.WRITE_DOC_START_MARKER)
          .disable(Feature.SPLIT_LINES)
          .enable(Feature.INDENT_ARRAYS_WITH_INDICATOR)
          .build();

  private Yaml() {}

  /** One document, without a marker before it and with a line feed at its end. */
  static String of(String json) {
    StringWriter yaml = new StringWriter();
    try (JsonParser parser = new com.fasterxml.jackson.core.JsonFactory().createParser(json);
        YAMLGenerator generator = FACTORY.createGenerator(yaml)) {
      parser.nextToken();
      generator.copyCurrentStructure(parser);
    } catch (IOException e) {
      throw new UncheckedIOException("what is said in JSON can be said in YAML", e);
    }
    return yaml.toString().stripTrailing() + "\n";
  }
}
