package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StopStepsTest {
  @Test
  void theLastStartedStopsFirstAndAFailureKeepsNoOtherStepFromItsTurn() {
    List<String> ran = new ArrayList<>();
    RuntimeException defect = new IllegalStateException("device");
    IOException io = new IOException("file");
    StopSteps steps = new StopSteps();
    steps.push("first", () -> ran.add("first"));
    steps.push(
        "second",
        () -> {
          throw io;
        });
    steps.push(
        "third",
        () -> {
          throw defect;
        });
    steps.push("fourth", () -> ran.add("fourth"));
    assertEquals(List.of(defect, io), steps.run());
    assertEquals(List.of("fourth", "first"), ran);
    assertEquals(List.of(), steps.run(), "each runs once");
    assertEquals(2, ran.size());
  }
}
