#include "core/text_table.h"

#include <algorithm>
#include <numeric>

#include "core/readable.h"

namespace vtax {

namespace {

int columns_slot() {
  static const int slot = std::ios_base::xalloc();
  return slot;
}

std::string line_of(const std::vector<std::string>& row, const std::vector<std::size_t>& widths,
                    const std::string& gap) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::string padding(widths[i] - std::min(widths[i], columns(row[i])), ' ');
    line += i == 0 ? row[i] + padding : gap + padding + row[i];
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

std::size_t page_columns(std::ostream& out) {
  const long set = out.iword(columns_slot());
  return set == 0 ? kPageColumns : static_cast<std::size_t>(set);
}

void set_page_columns(std::ostream& out, std::size_t columns) {
  out.iword(columns_slot()) = static_cast<long>(columns);
}

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
  std::vector<std::size_t> widths = this->widths();
  const std::size_t page = page_columns(out);
  const std::string gap(width() + widths.size() - 1 > page ? 1 : 2, ' ');
  const std::size_t room = page - std::min(page, width() - widths.front());  // for the first column
  if (width() > page) {
    widths.front() = 0;
    for (const auto& row : rows_)
      if (columns(row.front()) <= room) widths.front() = std::max(widths.front(), columns(row.front()));
  }
  for (std::vector<std::string> row : rows_) {
    if (columns(row.front()) > widths.front() && row.size() > 1) {
      const std::size_t indent = std::min(row.front().find_first_not_of(' '), row.front().size());
      print_wrapped(out, row.front().substr(0, indent), std::string_view(row.front()).substr(indent));
      row.front().clear();
    }
    out << printable(line_of(row, widths, gap), std::string::npos) << '\n';
  }
}

void print_wrapped(std::ostream& out, std::string_view first, std::string_view text) {
  const std::string indent(columns(first), ' ');
  const std::size_t page = page_columns(out);
  std::string line(first);
  bool is_empty = true;
  while (!text.empty()) {
    std::size_t end = std::min(text.find(' '), text.size());
    // A number is not torn from its %.
    while (end + 1 < text.size() && text[end + 1] == '%')
      end = std::min(text.find(' ', end + 1), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!is_empty && columns(line) + 1 + columns(word) > page) {
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
