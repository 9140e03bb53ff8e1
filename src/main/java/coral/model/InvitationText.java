package coral.model;

import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * An invitation as somebody pastes it on a new host: one line without spaces that says where the
 * colony is, by what its authority is known, and the secret that the colony takes once.
 *
 * <p>The line is {@code coral-invite:} and unpadded base64url of UTF-8 text, one field a line,
 * behind the first four bytes of that text's SHA-256, by which a line that was cut is found out.
 *
 * @param caFingerprint what the guest pins
 * @param endpoints of the colony's gRPC port, best first, 1 to {@link #MAX_ENDPOINTS}
 * @param discovery where the colony is found if those have changed
 * @param role what the guest will be: "agent", "proxy", "viewer", "operator"
 * @param agentId the guest's name; empty lets it choose
 * @param secret of {@link #MAX_SECRET_LENGTH} characters at most
 */
public record InvitationText(
    ColonyId colonyId,
    Fingerprint caFingerprint,
    List<Endpoint> endpoints,
    Optional<Discovery> discovery,
    String role,
    Optional<AgentId> agentId,
    Secret secret) {
  /** What an invitation begins with. */
  public static final String PREFIX = "coral-invite:";

  /** The longest line that is read, characters. */
  public static final int MAX_LENGTH = 4096;

  /** More places than an agent would try. */
  public static final int MAX_ENDPOINTS = 8;

  /** Characters of the longest secret. */
  public static final int MAX_SECRET_LENGTH = 128;

  private static final String VERSION = "1";
  private static final int FIELDS = 9;
  private static final int CHECKSUM_BYTES = 4;
  private static final int MAX_URL_LENGTH = 255;

  /**
   * Where discovery is.
   *
   * @param url {@code https://host:port}, or {@code http://host:port} for plaintext
   * @param fingerprint of discovery's certificate
   */
  public record Discovery(String url, Optional<Fingerprint> fingerprint) {
    /**
     * @throws IllegalArgumentException if the URL is not one of discovery
     */
    public Discovery {
      URI uri = URI.create(url);
      boolean known = "https".equals(uri.getScheme()) || "http".equals(uri.getScheme());
      if (!known
          || uri.getHost() == null
          || uri.getRawUserInfo() != null
          || url.length() > MAX_URL_LENGTH) {
        throw new IllegalArgumentException("not a URL of discovery");
      }
    }
  }

  /**
   * @throws IllegalArgumentException if a bound above is not kept
   */
  public InvitationText {
    endpoints = List.copyOf(endpoints);
    if (endpoints.isEmpty() || endpoints.size() > MAX_ENDPOINTS) {
      throw new IllegalArgumentException("an invitation names 1 to " + MAX_ENDPOINTS + " places");
    }
    if (!role.matches("[a-z]{1,16}")) {
      throw new IllegalArgumentException("not a role");
    }
    if (!secret.reveal().matches("[!-~]{1," + MAX_SECRET_LENGTH + "}")) {
      throw new IllegalArgumentException("not the secret of an invitation");
    }
  }

  /** The line. */
  public String encode() {
    byte[] fields =
        Stream.of(
                VERSION,
                colonyId.value(),
                caFingerprint.value(),
                endpoints.stream().map(Endpoint::toString).collect(Collectors.joining(",")),
                discovery.map(Discovery::url).orElse(""),
                discovery.flatMap(Discovery::fingerprint).map(Fingerprint::value).orElse(""),
                role,
                agentId.map(AgentId::value).orElse(""),
                secret.reveal())
            .collect(Collectors.joining("\n"))
            .getBytes(StandardCharsets.UTF_8);
    ByteBuffer all = ByteBuffer.allocate(CHECKSUM_BYTES + fields.length);
    all.put(checksum(fields)).put(fields);
    return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(all.array());
  }

  /** Whether a text wants to be an invitation, and not, say, the id of a colony. */
  public static boolean isInvitation(String text) {
    return text.startsWith(PREFIX);
  }

  /**
   * Reads a line.
   *
   * @throws IllegalArgumentException saying what to do, without a word of the text
   */
  public static InvitationText parse(String text) {
    if (!isInvitation(text) || text.length() > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "this is not an invitation: it begins with " + PREFIX + " and is one line");
    }
    String[] fields = fields(text.substring(PREFIX.length())).split("\n", -1);
    if (!fields[0].equals(VERSION)) {
      throw new IllegalArgumentException(
          "this invitation is of another version of Coral: use the version of its colony");
    }
    if (fields.length != FIELDS) {
      throw damaged();
    }
    try {
      return new InvitationText(
          new ColonyId(fields[1]),
          new Fingerprint(fields[2]),
          Stream.of(fields[3].split(",", -1)).map(Endpoint::parse).toList(),
          fields[4].isEmpty()
              ? Optional.empty()
              : Optional.of(new Discovery(fields[4], optional(fields[5]).map(Fingerprint::new))),
          fields[6],
          optional(fields[7]).map(AgentId::new),
          new Secret(fields[8]));
    } catch (IllegalArgumentException e) {
      // Without its cause, which may quote the secret.
      throw damaged();
    }
  }

  private static String fields(String base64) {
    byte[] all;
    try {
      all = Base64.getUrlDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      throw damaged(); // without its cause, as above
    }
    boolean canonical = Base64.getUrlEncoder().withoutPadding().encodeToString(all).equals(base64);
    if (!canonical || all.length < CHECKSUM_BYTES) {
      throw damaged();
    }
    byte[] fields = Arrays.copyOfRange(all, CHECKSUM_BYTES, all.length);
    if (!Arrays.equals(checksum(fields), Arrays.copyOf(all, CHECKSUM_BYTES))) {
      throw damaged();
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(fields)).toString();
    } catch (CharacterCodingException e) {
      throw damaged(); // without its cause, as above
    }
  }

  private static byte[] checksum(byte[] fields) {
    try {
      return Arrays.copyOf(MessageDigest.getInstance("SHA-256").digest(fields), CHECKSUM_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java runtime has SHA-256", e);
    }
  }

  private static Optional<String> optional(String field) {
    return field.isEmpty() ? Optional.empty() : Optional.of(field);
  }

  private static IllegalArgumentException damaged() {
    return new IllegalArgumentException(
        "this invitation is damaged: copy the whole line again, from "
            + PREFIX
            + " to its last character");
  }
}
