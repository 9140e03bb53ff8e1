package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** YAML says what JSON says. */
class YamlTest {
  @Test
  void anObjectIsABlock() {
    String json =
        Json.object(
            json1 ->
                json1
                    .put("agentId", "web-1")
                    .put("connected", true)
                    .put("sentBytes", 7)
                    .putNull("lastSeen")
                    .putStrings("problems", List.of("the disk is full"))
                    .putObjects("none", List.of(), (each, item) -> {}));
    assertEquals(
        """
        agentId: "web-1"
        connected: true
        sentBytes: 7
        lastSeen: null
        problems:
          - "the disk is full"
        none: []
        """,
        Yaml.of(json));
  }

  /** What YAML 1.1 takes for a boolean, a number, a time or null unless it is quoted. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "no",
        "on",
        "y",
        "true",
        "~",
        "null",
        "",
        "1e3",
        "0x1f",
        "017",
        "12:30:45",
        "10.42",
        "2030-01-02T03:04:05Z",
        "2030-01-02",
        "- a",
        "a: b",
        "# c",
        "'",
        "\"",
        "\n",
        " x ",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a",
        "{",
        "[",
        "|",
        ">",
        "?",
        "\u001b[2J",
        "é",
        "0a",
        "1_000",
        ".inf",
        "=",
        "<<",
        "a\r\nb",
        "\ud83d\ude00"
      })
  void everyTextStaysThatText(String text) throws Exception {
    String json = Json.object(object -> object.put("text", text));
    JsonNode read = new YAMLMapper().readTree(Yaml.of(json));
    assertEquals(new ObjectMapper().readTree(json), read, Yaml.of(json));
    Object other = new org.yaml.snakeyaml.Yaml().load(Yaml.of(json));
    assertEquals(java.util.Map.of("text", text), other, Yaml.of(json));
  }
}
