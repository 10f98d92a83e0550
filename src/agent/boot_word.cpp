#include "agent/boot_word.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/kernel_file.h"

namespace vtax::agent {

Result<int> boot_number(std::string_view command_line, std::string_view word, int most, int absent) {
  while (!command_line.empty()) {
    const std::size_t end = std::min(command_line.find(' '), command_line.size());
    const std::string_view found = command_line.substr(0, end);
    command_line.remove_prefix(std::min(end + 1, command_line.size()));
    if (!found.starts_with(word)) continue;
    int number = 0;
    const auto [rest, error] =
        std::from_chars(found.data() + word.size(), found.data() + found.size(), number);
    if (error == std::errc() && rest == found.data() + found.size() && number >= 1 && number <= most)
      return number;
    return fail(Error{"read the kernel's command line", fmt::format("'{}' is not 1 to {}", found, most), "",
                      ExitCode::usage});
  }
  return absent;
}

Result<int> boot_number(std::string_view word, int most, int absent) {
  const Result<std::string> line = read_kernel_file("/proc/cmdline");
  if (!line) return fail(line.error());
  return boot_number(*line, word, most, absent);
}

}  // namespace vtax::agent
