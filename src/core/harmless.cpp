#include "core/harmless.h"

#include <algorithm>

namespace vtax {
namespace {

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  const bool c1 = character.size() == 2 && first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
  return first < 0x20 || first == 0x7f || c1;
}

// Characters without a shape of their own that let text look like other text (Unicode's bidi controls), and
// its own line and paragraph separators.
bool turns_text(std::string_view character) {
  if (character == "\xd8\x9c") return true;
  if (character.size() != 3 || character[0] != '\xe2') return false;
  const auto second = static_cast<unsigned char>(character[1]),
             third = static_cast<unsigned char>(character[2]);
  if (second == 0x80) return third == 0x8e || third == 0x8f || (third >= 0xa8 && third <= 0xae);
  return second == 0x81 && third >= 0xa6 && third <= 0xa9;
}

// Of a well-formed one.
std::uint32_t number_of_character(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first;
  std::uint32_t number = first & (0x7fU >> character.size());
  for (const char c : character.substr(1)) number = number << 6U | (static_cast<unsigned char>(c) & 0x3fU);
  return number;
}

}  // namespace

std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(0);
  const unsigned second = byte(1);
  if (first < 0x80) return 1;
  std::size_t size = 0;
  unsigned low = 0x80;
  unsigned high = 0xbf;
  if (first >= 0xc2 && first <= 0xdf) size = 2;
  if (first >= 0xe0 && first <= 0xef) size = 3;
  if (first >= 0xf0 && first <= 0xf4) size = 4;
  if (first == 0xe0) low = 0xa0;
  if (first == 0xed) high = 0x9f;
  if (first == 0xf0) low = 0x90;
  if (first == 0xf4) high = 0x8f;
  if (size == 0 || text.size() < size || second < low || second > high) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if (!continues_character(text[i])) return 0;
  }
  return size;
}

bool is_harmful(std::string_view character) {
  return is_control(character) || turns_text(character);
}

std::string without_harm(std::string_view text, Replacement replace) {
  std::string out;
  std::size_t plain = 0;  // bytes so far that stay as they are
  const auto take_plain = [&] {
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    plain = 0;
  };
  while (plain < text.size()) {
    const std::string_view rest = text.substr(plain);
    const std::size_t size = character_size(rest);
    if (size != 0 && !is_harmful(rest.substr(0, size))) {
      plain += size;
      continue;
    }
    take_plain();
    out += replace(size == 0 ? std::nullopt : std::optional(number_of_character(text.substr(0, size))));
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  take_plain();
  return out;
}

std::string printable_text(std::string_view text) {
  return without_harm(text, [](std::optional<std::uint32_t> character) -> std::string {
    return character == '\n' ? "\n" : character == '\t' ? "\t" : "?";
  });
}

}  // namespace vtax
