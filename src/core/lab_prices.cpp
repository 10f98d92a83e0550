#include "core/lab_prices.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "core/readable.h"

namespace vtax {
namespace {

constexpr double kFemtoseconds = 1e6;  // of a nanosecond
constexpr std::uint64_t kStep = 100;   // a ten-thousandth of a nanosecond
constexpr double kMostInstructionNs = 1'000, kMostEventNs = 1e6;

tl::unexpected<Error> no_prices(std::string_view text, std::string why) {
  return fail({fmt::format("'{}' are no prices", printable(text)), std::move(why),
               "write nanoseconds, as \"kernel:0.9+program:0.5+vm_exits:400\"", ExitCode::usage});
}

bool is_code(std::string_view name) {
  return std::find(kPricedCode.begin(), kPricedCode.end(), name) != kPricedCode.end();
}

bool is_event(std::string_view name) {
  return std::find(kLabPricedEvents.begin(), kLabPricedEvents.end(), name) != kLabPricedEvents.end();
}

// Nothing where it is not a price.
std::optional<std::uint64_t> femtoseconds_of(std::string_view text, double most_ns) {
  double ns = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ns);
  if (error != std::errc() || end != text.data() + text.size() || !(ns >= 0) || ns > most_ns)
    return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(ns * kFemtoseconds / kStep)) * kStep;
}

}  // namespace

Result<LabPrices> read_lab_prices(std::string_view text) {
  std::string dense(text);
  std::erase(dense, ' ');
  LabPrices prices;
  for (std::size_t at = 0; at <= dense.size();) {
    const std::size_t end = std::min(dense.find('+', at), dense.size());
    const std::string_view part = std::string_view(dense).substr(at, end - at);
    at = end + 1;
    const std::size_t colon = part.find(':');
    const std::string name(part.substr(0, colon));
    if (!is_code(name) && !is_event(name))
      return no_prices(text, fmt::format("'{}' is nothing that has a price here", printable(name)));
    const auto price =
        colon == std::string_view::npos
            ? std::nullopt
            : femtoseconds_of(part.substr(colon + 1), is_code(name) ? kMostInstructionNs : kMostEventNs);
    if (!price || (is_code(name) && *price == 0))
      return no_prices(text, fmt::format("'{}' has no price, or one that cannot be", name));
    if (!prices.femtoseconds.emplace(name, *price).second)
      return no_prices(text, fmt::format("'{}' stands twice", name));
  }
  for (const char* needed : {"kernel", "program"})
    if (!prices.femtoseconds.contains(needed)) return no_prices(text, fmt::format("'{}' has none", needed));
  return prices;
}

std::string text_of(const LabPrices& prices) {
  std::string out;
  const auto add = [&](std::string_view name) {
    if (prices.femtoseconds.contains(std::string(name)))
      out += fmt::format("{}{}:{}", out.empty() ? "" : "+", name,
                         static_cast<double>(prices.of(name)) / kFemtoseconds);
  };
  for (const std::string_view name : kPricedCode) add(name);
  for (const std::string_view name : kLabPricedEvents) add(name);
  return out;
}

}  // namespace vtax
