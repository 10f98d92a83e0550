#include "core/function_name.h"

#include <algorithm>
#include <cstddef>

namespace vtax {
namespace {

struct Suffix {
  std::string_view word, digits;
};

}  // namespace

std::string without_lto_suffix(std::string_view name) {
  std::string out(name);
  for (const Suffix& suffix : {Suffix{".llvm.", "0123456789abcdef"}, Suffix{".lto_priv.", "0123456789"}}) {
    // A name begins with something else.
    for (std::size_t at = 1; (at = out.find(suffix.word, at)) != std::string::npos;) {
      const std::size_t digits = at + suffix.word.size();
      const std::size_t end = std::min(out.find_first_not_of(suffix.digits, digits), out.size());
      const bool is_suffix = end > digits && (end == out.size() || out[end] == '.');
      if (is_suffix)
        out.erase(at, end - at);
      else
        at = digits;
    }
  }
  return out;
}

std::string_view without_clone_suffix(std::string_view name) {
  while (true) {
    const auto number = name.find_last_not_of("0123456789");
    if (number == std::string_view::npos || name[number] != '.' || number + 1 == name.size()) return name;
    const std::string_view rest = name.substr(0, number);
    if (rest.ends_with(".isra"))
      name = rest.substr(0, rest.size() - 5);
    else if (rest.ends_with(".constprop"))
      name = rest.substr(0, rest.size() - 10);
    else
      return name;
  }
}

}  // namespace vtax
