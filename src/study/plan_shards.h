#pragma once

#include <cstdint>
#include <set>

#include "core/result.h"
#include "core/shard.h"
#include "study/plan.h"

// A plan in shares, each of which one process runs into a run file of its own.
namespace vtax {

// Cells of the plan: its trials, repetitions counted once.
[[nodiscard]] std::uint64_t count_cells(const Plan& plan);

// The places in the plan of a share's trials. The cells go round, so that every share has some of each
// platform, dear ones and cheap ones; a cell's repetitions stay together, for the lab runs them in one
// machine. Errors: more shares than cells (usage).
[[nodiscard]] Result<std::set<std::uint64_t>> trials_of(const Plan& plan, const Shard& shard);

}  // namespace vtax
