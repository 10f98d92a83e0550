#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace vtax {

// How wide a page of text is; a stream that leads to a terminal is as wide as that (set_page_columns).
inline constexpr std::size_t kPageColumns = 80;

[[nodiscard]] std::size_t page_columns(std::ostream& out);
void set_page_columns(std::ostream& out, std::size_t columns);

// Rows of text in columns: the first flush left, the others flush right, each as wide as its widest entry.
// Two spaces between them, or one where the page is too narrow; where that is too wide still, a first entry
// that leaves the others too little room has a line of its own. The first row is the heading.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> heading) { rows_.push_back(std::move(heading)); }

  void add(std::vector<std::string> row) {
    rows_.push_back(std::move(row));
  }  // at most as long as the heading
  void print(std::ostream& out) const;

  [[nodiscard]] bool is_empty() const { return rows_.size() == 1; }  // nothing but its heading

  // Columns that it takes at least.
  [[nodiscard]] std::size_t width() const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths() const;

  std::vector<std::vector<std::string>> rows_;
};

// The text in lines of at most page_columns(), broken at spaces; the first line begins with `first`, the
// others with as many spaces.
void print_wrapped(std::ostream& out, std::string_view first, std::string_view text);

}  // namespace vtax
