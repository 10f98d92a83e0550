#include "core/csv_rows.h"

#include "core/harmless.h"

namespace vtax {
namespace {

std::string csv_cell_text(std::string_view foreign) {
  const std::string text = printable_text(foreign);
  const bool is_formula =
      !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
  std::string value = (is_formula ? "'" : "") + text;
  if (value.find_first_of(",\"\r\n") == std::string::npos) return value;
  std::string quoted = "\"";
  for (const char c : value) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace

CsvRows& CsvRows::operator<<(std::string_view text) {
  if (!is_first_) row_ += ',';
  row_ += csv_cell_text(text);
  is_first_ = false;
  return *this;
}

void CsvRows::end() {
  row_ += "\r\n";
  out_ << row_;
  row_ = kept_;
  is_first_ = kept_.empty();
}

void CsvRows::begin_anew() {
  row_.clear();
  kept_.clear();
  is_first_ = true;
}

}  // namespace vtax
