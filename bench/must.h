#pragma once

#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <utility>

#include "core/result.h"

namespace vtax {

// For programs that measure: what fails ends them.
[[noreturn]] inline void quit(const std::string& why) {
  fmt::print(stderr, "{}\n", why);
  std::exit(1);
}

template <class T>
T must(Result<T> result) {
  if (!result) quit(result.error().text());
  return std::move(*result);
}

}  // namespace vtax
