#include "core/size_text.h"

#include <array>
#include <charconv>
#include <utility>

#include "core/units.h"

namespace vtax {
namespace {

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 8> kSizeUnits{
    {{"", 1}, {"B", 1}, {"K", kKiB}, {"KiB", kKiB}, {"M", kMiB}, {"MiB", kMiB}, {"G", kGiB}, {"GiB", kGiB}}};

std::string_view without_spaces(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace

ParsedSize parse_size(std::string_view text) {
  text = without_spaces(text);
  if (text.empty() || text.front() < '0' || text.front() > '9') return {0, ParsedSize::Fault::no_number};
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return {0, ParsedSize::Fault::too_much};
  const std::string_view unit = without_spaces(text.substr(static_cast<std::size_t>(end - text.data())));
  for (const auto& [name, bytes] : kSizeUnits) {
    if (unit != name) continue;
    std::uint64_t size = 0;
    if (__builtin_mul_overflow(number, bytes, &size)) return {0, ParsedSize::Fault::too_much};
    return {size, ParsedSize::Fault::none};
  }
  return {0, ParsedSize::Fault::unknown_unit};
}

}  // namespace vtax
