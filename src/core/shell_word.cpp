#include "core/shell_word.h"

#include <algorithm>

namespace vtax {
namespace {

bool is_plain(char c) {
  const bool is_letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  return is_letter || std::string_view("_./+:=@%,-").find(c) != std::string_view::npos;
}

}  // namespace

std::string shell_word(std::string_view word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) return std::string(word);
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string shell_word_of(const std::filesystem::path& path) {
  const std::string& text = path.native();
  return shell_word(text.starts_with('-') ? "./" + text : text);
}

}  // namespace vtax
