package coral.rpc.reference;

import java.util.List;

/** Writes a page. What is text is escaped; what is markup is written here and in the pages only. */
final class Html {
  private final StringBuilder page = new StringBuilder(16 << 10);

  /** Begins a page with its head and the way to it. */
  static Html page(String title, String wayHtml) {
    Html html = new Html();
    html.page
        .append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        .append("<meta name=\"color-scheme\" content=\"light dark\">\n<title>")
        .append(escaped(title))
        .append("</title>\n<link rel=\"stylesheet\" href=\"")
        .append(ApiReference.PATH)
        .append(ApiReference.STYLE)
        .append("\">\n</head>\n<body>\n<nav>")
        .append(wayHtml)
        .append("</nav>\n<main>\n<h1>")
        .append(escaped(title))
        .append("</h1>\n");
    return html;
  }

  /** Markup that is written as it is. */
  Html raw(String html) {
    page.append(html);
    return this;
  }

  Html text(String text) {
    page.append(escaped(text));
    return this;
  }

  /** A comment: paragraphs between empty lines. */
  Html paragraphs(String comment) {
    for (String paragraph : List.of(comment.split("\n\\s*\n", -1))) {
      if (!paragraph.isBlank()) {
        raw("<p>").text(paragraph.strip()).raw("</p>\n");
      }
    }
    return this;
  }

  /** Something to be copied into a shell. */
  Html command(String command) {
    return raw("<pre><code>").text(command).raw("</code></pre>\n");
  }

  String end() {
    return page.append("</main>\n</body>\n</html>\n").toString();
  }

  static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
