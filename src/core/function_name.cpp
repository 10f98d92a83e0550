#include "core/function_name.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <utility>

namespace vtax {
namespace {

struct Suffix {
  std::string_view word, digits;
};

}  // namespace

std::string without_lto_suffix(std::string out) {
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

std::string readable_function_name(std::string symbol) {
  std::string name = without_lto_suffix(std::move(symbol));
  // Without that mark the text could be a type's: a function `f` of C would be "float".
  if (!name.starts_with("_Z")) return name;
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
  return status == 0 && text ? std::string(text.get()) : name;
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
