#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/readable.h"
#include "study/plan.h"

namespace vtax {
namespace {

constexpr std::array<std::string_view, 3> kKinds{"layout", "seed", "timer"};
constexpr int kMostOfAKind = 100;

}  // namespace

Result<std::vector<std::string>> variations_of(std::string_view vary) {
  std::vector<std::string> out;
  if (vary.empty()) return out;
  const auto wrong = [&](const std::string& why) {
    return fail({fmt::format("cannot use --vary {}", printable(vary)), why,
                 "for example --vary layout,seed,timer or --vary timer:5"});
  };
  int times = 3;
  std::string_view kinds = vary;
  if (const auto colon = vary.find(':'); colon != std::string_view::npos) {
    const std::string_view number = vary.substr(colon + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), times);
    if (error != std::errc() || end != number.data() + number.size() || times < 1 || times > kMostOfAKind)
      return wrong(fmt::format("after the colon stands how many of each, 1 to {}", kMostOfAKind));
    kinds = vary.substr(0, colon);
  }
  std::vector<std::string_view> seen;
  for (std::size_t start = 0; start <= kinds.size();) {
    const std::size_t comma = std::min(kinds.find(',', start), kinds.size());
    const std::string_view kind = kinds.substr(start, comma - start);
    start = comma + 1;
    if (std::find(kKinds.begin(), kKinds.end(), kind) == kKinds.end())
      return wrong(fmt::format("'{}' is none of layout, seed and timer", printable(kind)));
    if (std::find(seen.begin(), seen.end(), kind) != seen.end())
      return wrong(fmt::format("'{}' stands in it twice", kind));
    seen.push_back(kind);
    for (int i = 1; i <= times; ++i) out.push_back(fmt::format("{}-{}", kind, i));
  }
  return out;
}

}  // namespace vtax
