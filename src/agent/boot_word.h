#pragma once

#include <string_view>

#include "core/result.h"

namespace vtax::agent {

// The number behind `word` ("vtax.guests=") on a kernel's command line; `absent` where the word does not
// stand there. Error: it is no number from 1 to `most`.
[[nodiscard]] Result<int> boot_number(std::string_view command_line, std::string_view word, int most,
                                      int absent = 1);

// The same with the running kernel's command line.
[[nodiscard]] Result<int> boot_number(std::string_view word, int most, int absent = 1);

}  // namespace vtax::agent
