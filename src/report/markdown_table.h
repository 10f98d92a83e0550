#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace vtax {

// Printable text with nothing in it that Markdown reads: every ASCII punctuation may have a backslash before
// it (CommonMark, 2.4); only what has a meaning inside a line gets one. `@` and `#` would name people and
// issues.
[[nodiscard]] std::string escaped_markdown(std::string_view text, std::size_t longest = 500);

// Rows as they come; the caller escapes what is foreign.
class MarkdownTable {
 public:
  // The first `texts` columns are text, the others numbers.
  MarkdownTable(std::ostream& out, const std::vector<std::string>& heading, std::size_t texts);
  void row(const std::vector<std::string>& cells);

 private:
  std::ostream& out_;
};

}  // namespace vtax
