#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/result.h"
#include "machine/machine.h"
#include "record/run_writer.h"
#include "study/plan.h"

namespace vtax {

// Of the trials of this run: how many are in its file now, and how many of them with an error in place of
// counts.
struct TrialsKept {
  std::size_t all = 0;
  std::size_t failed = 0;
};

// Runs `trials`, of that plan, on the machine and writes each when it comes; says on standard error first the
// notes, then how it goes and what failed. What `kept` counts is in the file, also when this ends with an
// error: the machine's, or the writer's.
[[nodiscard]] Result<> run_trials(std::vector<Trial> trials, const Plan& plan, Machine& machine,
                                  const std::vector<std::string>& notes, RunWriter& writer, TrialsKept& kept);

}  // namespace vtax
