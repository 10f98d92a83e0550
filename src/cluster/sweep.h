#pragma once

#include <functional>
#include <string>

#include "cluster/plan_folder.h"
#include "core/result.h"

namespace vtax::cluster {

struct SweepEvents {
  std::function<void(const std::string& text)> on_note;                  // a line that stays
  std::function<void(std::uint64_t there, std::uint64_t of)> on_shares;  // run files that are there
};

// How many shares: as many as were asked for (0: so that a task has about a minute's work or more), at most
// one a cell and at most what an array may have.
[[nodiscard]] std::uint64_t shares_of(std::uint64_t cells, std::uint64_t asked_for,
                                      std::uint64_t most_array_size);

// Submits what is missing (or goes on waiting for what an earlier call has submitted) and waits for the
// merge, by the folder's files; the queue is asked once in half a minute. The exit code of `vtax merge`.
// Errors: Slurm's; the jobs are gone and left no merge (trial_failed); interrupted, with the jobs going on.
[[nodiscard]] Result<ExitCode> run_sweep(PlanFolder& folder, const SweepEvents& events);

}  // namespace vtax::cluster
