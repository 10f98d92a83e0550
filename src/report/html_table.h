#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace vtax {

// Text as HTML's text, also within an attribute's quotes.
[[nodiscard]] std::string escaped_html(std::string_view text);

// A table of a page, with its title; nothing is written of one without rows. Its columns are of text or of
// numbers; a number is shown as people read it and carries its value where that says more, for scripts.
class HtmlTable {
 public:
  enum class Kind { number, text, words, work };  // words and work may be broken into lines
  struct Column {
    std::string name;
    Kind kind = Kind::number;
  };

  HtmlTable(std::ostream& out, std::string title, std::vector<Column> columns)
      : out_(out), title_(std::move(title)), columns_(std::move(columns)) {}
  ~HtmlTable();
  HtmlTable(const HtmlTable&) = delete;
  HtmlTable& operator=(const HtmlTable&) = delete;

  void begin_row();
  void end_row();
  HtmlTable& text(std::string_view text);
  HtmlTable& lines(const std::vector<std::string>& lines);
  HtmlTable& number(double value);  // core/readable.h
  HtmlTable& number(std::optional<double> value);
  HtmlTable& whole(std::uint64_t value);
  HtmlTable& shown(std::string_view text, std::optional<double> value);

 private:
  void cell(std::string_view html, std::optional<double> value = std::nullopt);

  std::ostream& out_;
  std::string title_;
  std::vector<Column> columns_;
  std::size_t place_ = 0;  // of the next cell in its row
  bool has_begun_ = false;
};

}  // namespace vtax
