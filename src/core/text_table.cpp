#include "core/text_table.h"

#include <algorithm>
#include <numeric>

#include "core/readable.h"

namespace vtax {

std::vector<std::size_t> TextTable::widths() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  return widths;
}

std::size_t TextTable::width() const {
  const auto all = widths();
  return std::accumulate(all.begin(), all.end(), std::size_t{0}) + all.size() - 1;
}

void TextTable::print(std::ostream& out) const {
  const std::vector<std::size_t> widths = this->widths();
  const std::string gap(width() + widths.size() - 1 > kPageColumns ? 1 : 2, ' ');
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - columns(row[i]), ' ');
      line += i == 0 ? row[i] + padding : gap + padding + row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << printable(line, std::string::npos) << '\n';
  }
}

void print_wrapped(std::ostream& out, std::string_view first, std::string_view text) {
  const std::string indent(columns(first), ' ');
  std::string line(first);
  bool is_empty = true;
  while (!text.empty()) {
    std::size_t end = std::min(text.find(' '), text.size());
    // A number is not torn from its %.
    while (end + 1 < text.size() && text[end + 1] == '%')
      end = std::min(text.find(' ', end + 1), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!is_empty && columns(line) + 1 + columns(word) > kPageColumns) {
      out << printable(line, std::string::npos) << '\n';
      line = indent;
      is_empty = true;
    }
    if (!is_empty) line += ' ';
    line += word;
    is_empty = false;
  }
  out << printable(line, std::string::npos) << '\n';
}

}  // namespace vtax
