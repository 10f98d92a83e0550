#include "core/run_time_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/readable.h"

namespace vtax {
namespace {

constexpr std::size_t kMostFunctions = 1'000'000, kLongestFunction = 500;

bool take_hexadecimal(std::string_view& line, std::uint64_t& number) {
  if (line.starts_with("0x")) line.remove_prefix(2);
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number, 16);
  const auto used = static_cast<std::size_t>(end - line.data());
  if (error != std::errc() || used >= line.size() || line[used] != ' ') return false;
  line.remove_prefix(used + 1);
  return true;
}

}  // namespace

void read_run_time_functions(std::string_view text, RunTimeFunctions& into) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    std::uint64_t begin = 0, size = 0;
    if (!take_hexadecimal(line, begin) || !take_hexadecimal(line, size) || size == 0 || line.empty() ||
        size > ~std::uint64_t{0} - begin)
      continue;
    auto from = into.lower_bound(begin);
    if (from != into.begin() && std::prev(from)->second.end > begin) --from;
    while (from != into.end() && from->first < begin + size) from = into.erase(from);
    if (into.size() >= kMostFunctions) return;
    into[begin] = {begin + size, printable(line, kLongestFunction)};
  }
}

std::string run_time_lines(const RunTimeFunctions& functions, std::size_t most_bytes) {
  std::string text;
  for (const auto& [begin, function] : functions) {
    const std::string line = fmt::format("{:x} {:x} {}\n", begin, function.end - begin, function.name);
    if (text.size() + line.size() > most_bytes) break;
    text += line;
  }
  return text;
}

}  // namespace vtax
