#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

// The field lines of a message's head, as RFC 9110 (5) and RFC 9112 (5) define them, with nothing forgiven:
// lines end in CRLF, no folding, no space before the colon, no control characters.
namespace vtax::http {

struct Field {
  std::string_view name, value;
};

// Walks through the lines after the first, to the empty one.
class FieldReader {
 public:
  explicit FieldReader(std::string_view lines) : rest_(lines) {}

  // Nothing: at the end, or at a line that is none; good() tells which.
  [[nodiscard]] std::optional<Field> next();
  [[nodiscard]] bool good() const { return good_; }

 private:
  static constexpr int kMostFields = 100;
  std::string_view rest_;
  int read_ = 0;
  bool good_ = true;
};

// The line at the front of `rest`, which is moved past its CRLF. Nothing when there is none.
[[nodiscard]] std::optional<std::string_view> take_line(std::string_view& rest);

// ASCII, case ignored; `lower` is written in lower case.
[[nodiscard]] bool same_word(std::string_view text, std::string_view lower);

// Whether a comma-separated list names `lower`.
[[nodiscard]] bool lists(std::string_view list, std::string_view lower);

// -1: c is none.
[[nodiscard]] int hex_digit(char c);

// Decimal digits only.
[[nodiscard]] std::optional<std::uint64_t> digits(std::string_view text);

}  // namespace vtax::http
