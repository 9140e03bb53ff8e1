package coral.e2e;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Something that must not be said, in all the forms in which it may be: as it is, in hexadecimal
 * digits, in base64 wherever it begins in what is encoded.
 *
 * @param name for messages
 * @param forms by their names; a character for each byte
 */
record WantedSecret(String name, Map<String, String> forms) {
  private static final int BITS_OF_DIGIT = 6;

  static WantedSecret of(String name, String secret) {
    return of(name, secret.getBytes(StandardCharsets.UTF_8));
  }

  static WantedSecret of(String name, byte[] secret) {
    Map<String, String> forms = new LinkedHashMap<>();
    forms.put("plain", new String(secret, StandardCharsets.ISO_8859_1));
    String digits = HexFormat.of().formatHex(secret);
    forms.put("hexadecimal", digits);
    forms.put("hexadecimal, capitals", digits.toUpperCase(Locale.ROOT));
    for (int before = 0; before < 3; before++) {
      forms.put("base64 at " + before, base64(Base64.getEncoder(), secret, before));
      forms.put("base64url at " + before, base64(Base64.getUrlEncoder(), secret, before));
    }
    return new WantedSecret(name, forms);
  }

  /**
   * A private key: both halves, because a line of PEM may end within one, but not within both.
   *
   * @param number the key's secret number or bytes, without what is public
   */
  static List<WantedSecret> halves(String name, byte[] number) {
    int half = number.length / 2;
    return List.of(
        of(name + ", first half", Arrays.copyOf(number, half)),
        of(name + ", second half", Arrays.copyOfRange(number, half, number.length)));
  }

  /** The digits that are the same whatever stands before, so many bytes, and after it. */
  private static String base64(Base64.Encoder encoder, byte[] secret, int before) {
    byte[] shifted = new byte[before + secret.length];
    System.arraycopy(secret, 0, shifted, before, secret.length);
    String encoded = encoder.withoutPadding().encodeToString(shifted);
    int first = (before * Byte.SIZE + BITS_OF_DIGIT - 1) / BITS_OF_DIGIT;
    int end = shifted.length * Byte.SIZE / BITS_OF_DIGIT;
    return encoded.substring(first, end);
  }

  /** In which forms it is there. */
  List<String> foundIn(String text) {
    List<String> found = new ArrayList<>();
    forms.forEach(
        (form, wanted) -> {
          if (text.contains(wanted)) {
            found.add(form);
          }
        });
    return found;
  }

  /** Not the secret. */
  @Override
  public String toString() {
    return name;
  }
}
