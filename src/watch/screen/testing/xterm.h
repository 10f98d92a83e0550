#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/harmless.h"

namespace vtax::watch {

// What a terminal shows after some output: as much of an xterm as ncurses asks one for. What it does not know
// is in unknown().
class Xterm {
 public:
  Xterm(std::size_t columns, std::size_t rows) { resize(columns, rows); }

  void resize(std::size_t columns, std::size_t rows) {
    columns_ = columns;
    cells_.assign(rows, std::vector<std::string>(columns, " "));
    row_ = column_ = 0;
  }

  void take(std::string_view output) {
    pending_ += output;
    std::string_view rest = pending_;
    while (!rest.empty()) {
      const std::size_t used = rest[0] == '\x1b' ? escape(rest) : character(rest);
      if (used == 0) break;  // the rest of it is to come
      rest.remove_prefix(used);
    }
    pending_ = std::string(rest);
  }

  [[nodiscard]] std::string line(std::size_t row) const {
    std::string text;
    for (const std::string& cell : cells_[row]) text += cell;
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  }
  [[nodiscard]] std::string text() const {
    std::string all;
    for (std::size_t row = 0; row < cells_.size(); ++row) all += line(row) + "\n";
    return all;
  }
  [[nodiscard]] const std::string& unknown() const { return unknown_; }
  [[nodiscard]] bool is_alternate() const { return alternate_; }
  [[nodiscard]] bool is_cursor_shown() const { return cursor_; }

 private:
  std::size_t character(std::string_view text) {
    const auto first = static_cast<unsigned char>(text[0]);
    if (first < 0x20 || first == 0x7f) {
      control(text[0]);
      return 1;
    }
    const std::size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (text.size() < size) return 0;
    if (character_size(text) != size || is_harmful(text.substr(0, size))) unknown_ += " <harmful>";
    put(std::string(text.substr(0, size)));
    return size;
  }

  void put(const std::string& cell) {
    if (column_ == columns_) {
      column_ = 0;
      line_feed();
    }
    if (row_ < cells_.size()) cells_[row_][column_] = cell;
    last_ = cell;
    ++column_;
  }

  void line_feed() {
    if (row_ + 1 < cells_.size()) {
      ++row_;
      return;
    }
    cells_.erase(cells_.begin());
    cells_.emplace_back(columns_, " ");
  }

  void control(char c) {
    if (c == '\r')
      column_ = 0;
    else if (c == '\n')
      line_feed();
    else if (c == '\b')
      column_ -= column_ > 0 ? 1 : 0;
    else if (c != '\x0f' && c != '\0')
      unknown_ += " <control>";
  }

  std::size_t escape(std::string_view text) {
    if (text.size() < 2) return 0;
    if (text[1] == '(' || text[1] == ')') return text.size() < 3 ? 0 : 3;
    if (text[1] == '=' || text[1] == '>' || text[1] == '7' || text[1] == '8') return 2;
    if (text[1] != '[') {
      unknown_ += " ESC" + std::string(1, text[1]);
      return 2;
    }
    const std::size_t end = text.find_first_not_of("0123456789;?>=!", 2);
    if (end == std::string_view::npos) return 0;
    sequence(text.substr(2, end - 2), text[end]);
    return end + 1;
  }

  void sequence(std::string_view parameters, char final) {
    if (final == 'h' || final == 'l') {
      if (parameters == "?1049") alternate_ = final == 'h';
      if (parameters.find("?25") == 0) cursor_ = final == 'h';
      if (parameters == "?12;25") cursor_ = final == 'h';
      return;
    }
    if (final == 'm' || final == 't' || final == 'r') return;
    std::vector<std::size_t> numbers{0};
    for (const char c : parameters) {
      if (c == ';')
        numbers.push_back(0);
      else if (c >= '0' && c <= '9')
        numbers.back() = numbers.back() * 10 + static_cast<std::size_t>(c - '0');
    }
    numbers.resize(std::max<std::size_t>(numbers.size(), 2), 0);
    const std::size_t count = std::max<std::size_t>(numbers[0], 1);
    const std::size_t last_row = cells_.size() - 1;
    switch (final) {
      case 'H':
        row_ = std::min(count - 1, last_row);
        column_ = std::min(std::max<std::size_t>(numbers[1], 1) - 1, columns_ - 1);
        break;
      case 'd':
        row_ = std::min(count - 1, last_row);
        break;
      case 'G':
        column_ = std::min(count - 1, columns_ - 1);
        break;
      case 'A':
        row_ -= std::min(row_, count);
        break;
      case 'B':
        row_ = std::min(row_ + count, last_row);
        break;
      case 'C':
        column_ = std::min(column_ + count, columns_ - 1);
        break;
      case 'D':
        column_ -= std::min(column_, count);
        break;
      case 'J':
        clear_screen(numbers[0]);
        break;
      case 'K':
        clear_line(numbers[0]);
        break;
      case 'X':
        for (std::size_t i = column_; i < std::min(column_ + count, columns_); ++i) cells_[row_][i] = " ";
        break;
      case 'b':
        for (std::size_t i = 0; i < count; ++i) put(std::string(last_));
        break;
      case 'P': {
        auto& line = cells_[row_];
        const std::size_t cut = std::min(count, columns_ - std::min(column_, columns_));
        line.erase(line.begin() + static_cast<std::ptrdiff_t>(column_),
                   line.begin() + static_cast<std::ptrdiff_t>(column_ + cut));
        line.resize(columns_, " ");
        break;
      }
      case '@': {
        auto& line = cells_[row_];
        line.insert(line.begin() + static_cast<std::ptrdiff_t>(column_), count, " ");
        line.resize(columns_);
        break;
      }
      default:
        unknown_ += " [" + std::string(parameters) + final;
    }
  }

  void clear_screen(std::size_t how) {
    if (how == 2 || how == 0)
      for (std::size_t row = how == 2 ? 0 : row_ + 1; row < cells_.size(); ++row)
        cells_[row].assign(columns_, " ");
    if (how == 0) clear_line(0);
    if (how == 1) unknown_ += " [1J";
  }
  void clear_line(std::size_t how) {
    const std::size_t first = how == 0 ? column_ : 0;
    const std::size_t end = how == 1 ? column_ + 1 : columns_;
    for (std::size_t i = first; i < std::min(end, columns_); ++i) cells_[row_][i] = " ";
  }

  std::size_t columns_ = 0, row_ = 0, column_ = 0;
  std::vector<std::vector<std::string>> cells_;
  std::string pending_, last_ = " ", unknown_;
  bool alternate_ = false, cursor_ = true;
};

}  // namespace vtax::watch
