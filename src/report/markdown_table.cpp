#include "report/markdown_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/readable.h"

namespace vtax {

std::string escaped_markdown(std::string_view text, std::size_t longest) {
  std::string out;
  for (const char c : printable(text, longest)) {
    if (std::string_view("\\`*_[]<>|~&@#$").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

MarkdownTable::MarkdownTable(std::ostream& out, const std::vector<std::string>& heading, std::size_t texts)
    : out_(out) {
  row(heading);
  std::vector<std::string> rule;
  for (std::size_t i = 0; i < heading.size(); ++i) rule.emplace_back(i < texts ? "---" : "---:");
  row(rule);
}

void MarkdownTable::row(const std::vector<std::string>& cells) {
  out_ << fmt::format("| {} |\n", fmt::join(cells, " | "));
}

}  // namespace vtax
