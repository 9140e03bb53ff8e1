package coral.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** What may stand for the last word of a command line that is being typed. */
final class Completion {
  private static final String FILES = ":files";
  private static final String DIRECTORIES = ":directories";

  /** More than anybody reads. */
  private static final int MAX_CANDIDATES = 500;

  private final CoralCommand root;
  private final CommandSpec top;

  /**
   * @param root its user object
   * @param top of the tree of commands
   */
  Completion(CoralCommand root, CommandSpec top) {
    this.root = root;
    this.top = top;
  }

  /** What the words before the last have led to. */
  private static final class Place {
    private CommandSpec command;
    private final Map<String, String> options = new LinkedHashMap<>();
    private final List<String> positions = new ArrayList<>();
    private @Nullable OptionSpec open;

    Place(CommandSpec command) {
      this.command = command;
    }

    void take(String word) {
      if (open != null) {
        options.put(open.longestName(), word);
        open = null;
        return;
      }
      if (word.startsWith("-") && word.length() > 1) {
        int equals = word.indexOf('=');
        OptionSpec option = command.findOption(equals < 0 ? word : word.substring(0, equals));
        if (option != null && equals >= 0) {
          options.put(option.longestName(), word.substring(equals + 1));
        } else if (option != null && option.arity().max() > 0) {
          open = option;
        }
        return;
      }
      picocli.CommandLine child = command.subcommands().get(word);
      if (child != null && positions.isEmpty()) {
        command = child.getCommandSpec();
      } else {
        positions.add(word);
      }
    }
  }

  /**
   * The candidates.
   *
   * @param typed the words behind the name of the program; the last, maybe empty, is completed
   */
  List<String> of(List<String> typed) {
    List<String> words = joined(typed);
    String last = words.isEmpty() ? "" : words.get(words.size() - 1);
    Place place = new Place(top);
    words.subList(0, Math.max(0, words.size() - 1)).forEach(place::take);
    return candidates(place, last).stream().distinct().limit(MAX_CANDIDATES).toList();
  }

  /** Bash takes {@code --option=value} apart at the sign; its answer is the value alone. */
  private static List<String> joined(List<String> typed) {
    List<String> words = new ArrayList<>();
    for (int i = 0; i < typed.size(); i++) {
      if (!typed.get(i).equals("=") || i == 0) {
        words.add(typed.get(i));
      } else if (i == typed.size() - 1) {
        words.add(""); // the value has not been begun
      }
    }
    return words;
  }

  private List<String> candidates(Place place, String last) {
    if (place.open != null) {
      return values(place, place.open, last, "");
    }
    int equals = last.indexOf('=');
    if (last.startsWith("--") && equals > 0) {
      OptionSpec option = place.command.findOption(last.substring(0, equals));
      return option == null
          ? List.of()
          : values(place, option, last.substring(equals + 1), last.substring(0, equals + 1));
    }
    if (last.startsWith("-")) {
      return options(place, last);
    }
    List<String> candidates = new ArrayList<>();
    if (place.positions.isEmpty()) {
      place
          .command
          .subcommands()
          .forEach(
              (name, child) -> {
                CommandSpec spec = child.getCommandSpec();
                if (!spec.usageMessage().hidden() && name.startsWith(last)) {
                  candidates.add(name + described(spec.usageMessage().description()));
                }
              });
    }
    for (PositionalParamSpec position : place.command.positionalParameters()) {
      if (position.index().contains(place.positions.size())) {
        candidates.addAll(values(place, position, last, ""));
      }
    }
    return candidates;
  }

  private static List<String> options(Place place, String last) {
    List<String> candidates = new ArrayList<>();
    for (OptionSpec option : place.command.options()) {
      String name = option.longestName();
      boolean given = place.options.containsKey(name) && !option.isMultiValue();
      if (!option.hidden() && !given && name.startsWith(last)) {
        candidates.add(name + described(option.description()));
      }
    }
    return candidates;
  }

  /**
   * The values of an option or a parameter.
   *
   * @param before what stands before the value in the word
   */
  private List<String> values(Place place, ArgSpec argument, String last, String before) {
    Class<?> type =
        argument.auxiliaryTypes().length > 0 ? argument.auxiliaryTypes()[0] : argument.type();
    if (type == Path.class) {
      return List.of(argument.paramLabel().equals("DIR") ? DIRECTORIES : FILES);
    }
    return fixed(argument, type)
        .map(names -> Stream.concat(names, Stream.empty()))
        .orElseGet(() -> live(place, argument, type))
        .filter(name -> name.startsWith(last) && isPlain(name))
        .map(name -> before + name)
        .toList();
  }

  private static Optional<Stream<String>> fixed(ArgSpec argument, Class<?> type) {
    if (argument.completionCandidates() != null
        && !(argument.completionCandidates() instanceof LiveNames)) {
      return Optional.of(
          StreamSupport.stream(argument.completionCandidates().spliterator(), false));
    }
    return type.isEnum()
        ? Optional.of(Arrays.stream(type.getEnumConstants()).map(Object::toString))
        : Optional.empty();
  }

  private Stream<String> live(Place place, ArgSpec argument, Class<?> type) {
    LiveNames names =
        argument.completionCandidates() instanceof LiveNames own
            ? own
            : LiveNames.of(type, argument.paramLabel());
    return names.find(root, place.options).stream();
  }

  /** Nothing that a shell would take for more than a name. */
  private static boolean isPlain(String name) {
    return name.matches("[A-Za-z0-9._:@/+-]{1,255}");
  }

  /** The first sentence's line, behind a tab. */
  private static String described(String[] description) {
    if (description.length == 0 || description[0].isEmpty()) {
      return "";
    }
    return "\t" + Table.printable(description[0].replaceAll("\\$\\{[^}]*}", "...")).strip();
  }
}
