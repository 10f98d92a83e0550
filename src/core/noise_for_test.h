#pragma once

#include <random>
#include <string>

namespace vtax {

// The text with one to eight bytes changed, cut out, doubled or put in, and sometimes cut off.
inline std::string with_noise(std::string text, std::mt19937_64& random) {
  const auto below = [&](std::size_t limit) { return limit == 0 ? 0 : random() % limit; };
  static const std::string pieces[] = {"-1", "1e999", "null", "18446744073709551616", "\"", "{", "[", "]",
                                       "}",  ",",     "\xff"};
  for (std::size_t changes = 1 + below(8); changes > 0 && !text.empty(); --changes) {
    const std::size_t at = below(text.size());
    switch (below(5)) {
      case 0:
        text[at] = static_cast<char>(random());
        break;
      case 1:
        text.erase(at, below(8));
        break;
      case 2:
        text.insert(at, text.substr(below(text.size()), below(16)));
        break;
      case 3:
        text.replace(at, 1, pieces[below(std::size(pieces))]);
        break;
      default:
        text[at] = "0123456789-.eE"[below(14)];
    }
  }
  return below(10) == 0 ? text.substr(0, below(text.size() + 1)) : text;
}

}  // namespace vtax
