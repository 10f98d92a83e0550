#pragma once

#include "watch/inventory.h"
#include "watch/look.h"
#include "watch/reading.h"

namespace vtax::watch {

// Two looks and whose everything is, to a reading; no input but these. docs/design/watch.md has the rules.
// What the guests have, what was caused and Reading::other add up to all_cpus_ns exactly, and on each CPU of
// Reading::cpus to that CPU's span. A counter that ran backwards counts as nothing, one that is new from its
// beginning. Not set: number, came, gone, missing.
[[nodiscard]] Reading charge(const Look& before, const Look& after, const Inventory& inventory, ChargeBy by);

// `total` in parts as the weights say, which add up to it exactly; nothing where all weights are zero.
[[nodiscard]] std::vector<std::uint64_t> divide(std::uint64_t total,
                                                const std::vector<std::uint64_t>& weights);

}  // namespace vtax::watch
