#pragma once

#include <fmt/format.h>

#include <iostream>
#include <utility>

#include "core/readable.h"

namespace vtax {

// Onto standard output, for people: whatever the values hold, printable. Whether it could be written is asked
// once, when the verb has ended (verb.h).
template <class... Values>
void say(fmt::format_string<Values...> format, Values&&... values) {
  std::cout << printable_lines(fmt::format(format, std::forward<Values>(values)...));
}

}  // namespace vtax
