#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace vtax {

// Rows of CSV (RFC 4180). Foreign text cannot become a formula, a row or a command to a terminal
// (core/harmless.h).
class CsvRows {
 public:
  explicit CsvRows(std::ostream& out) : out_(out) {}

  CsvRows& operator<<(std::string_view text);
  CsvRows& operator<<(std::uint64_t value) { return *this << std::string_view(std::to_string(value)); }
  // What the next rows begin with is what this one has so far.
  void keep() { kept_ = row_; }
  void end();
  void begin_anew();

 private:
  std::ostream& out_;
  std::string row_, kept_;
  bool is_first_ = true;
};

}  // namespace vtax
