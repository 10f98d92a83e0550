#include "query/profile_stack.h"

#include <fmt/format.h>

#include "core/readable.h"

namespace vtax {

std::string layer_text(const FunctionCost& cost) {
  if (cost.part == Part::none) return std::string(name(cost.layer));
  return fmt::format("{} {}", name(cost.layer), name(cost.part));
}

std::array<std::string, 4> stack_of(const FunctionCost& cost) {
  constexpr std::size_t kLongest = 1000;
  return {printable(cost.domain, kLongest), layer_text(cost), printable(cost.image, kLongest),
          printable(cost.function, kLongest)};
}

std::span<const Caller> callers_of(const Profile& profile, std::size_t place) {
  return place < profile.callers.size() ? std::span<const Caller>(profile.callers[place])
                                        : std::span<const Caller>();
}

}  // namespace vtax
