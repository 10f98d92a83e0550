#include "workload/http/fields.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace vtax::http {
namespace {

constexpr char lower_of(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Token characters (RFC 9110, 5.6.2).
constexpr std::array<bool, 256> token_characters = [] {
  std::array<bool, 256> out{};
  for (unsigned c = '0'; c <= '9'; ++c) out[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c) out[c] = out[c - 'a' + 'A'] = true;
  for (const char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'})
    out[static_cast<unsigned char>(c)] = true;
  return out;
}();

bool is_token(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text)
    if (!token_characters[static_cast<unsigned char>(c)]) return false;
  return true;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_value_character(char c) {
  return static_cast<unsigned char>(c) < ' ' ? c == '\t' : c != 0x7f;
}

// Whether one of eight bytes is below a space or DEL; may say so of a byte after such a one.
bool has_control(std::uint64_t bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
  const std::uint64_t below_space = (bytes - kOnes * ' ') & ~bytes;
  const std::uint64_t delete_is_zero = bytes ^ kOnes * 0x7f;
  const std::uint64_t is_delete = (delete_is_zero - kOnes) & ~delete_is_zero;
  return ((below_space | is_delete) & kHighs) != 0;
}

bool is_value(std::string_view text) {
  std::uint64_t bytes = 0;
  while (text.size() >= sizeof bytes) {
    std::memcpy(&bytes, text.data(), sizeof bytes);
    if (has_control(bytes) && !std::all_of(text.begin(), text.begin() + sizeof bytes, is_value_character))
      return false;
    text.remove_prefix(sizeof bytes);
  }
  return std::all_of(text.begin(), text.end(), is_value_character);
}

}  // namespace

std::optional<std::string_view> take_line(std::string_view& rest) {
  const void* found = rest.empty() ? nullptr : std::memchr(rest.data(), '\r', rest.size());
  if (found == nullptr) return std::nullopt;
  const auto length = static_cast<std::size_t>(static_cast<const char*>(found) - rest.data());
  if (length + 1 >= rest.size() || rest[length + 1] != '\n') return std::nullopt;
  const std::string_view line = rest.substr(0, length);
  rest.remove_prefix(length + 2);
  return line;
}

std::optional<Field> FieldReader::next() {
  const auto line = take_line(rest_);
  if (line && line->empty()) return std::nullopt;
  good_ = false;  // unless all that follows holds
  if (!line || ++read_ > kMostFields) return std::nullopt;
  const std::size_t colon = line->find(':');
  if (colon == std::string_view::npos || !is_token(line->substr(0, colon))) return std::nullopt;
  const Field field{line->substr(0, colon), trimmed(line->substr(colon + 1))};
  if (!is_value(field.value)) return std::nullopt;
  good_ = true;
  return field;
}

bool same_word(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (lower_of(text[i]) != lower[i]) return false;
  return true;
}

bool lists(std::string_view list, std::string_view lower) {
  while (true) {
    const std::size_t comma = list.find(',');
    if (same_word(trimmed(list.substr(0, comma)), lower)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::uint64_t> digits(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;  // from_chars takes no sign and no space
}

}  // namespace vtax::http
