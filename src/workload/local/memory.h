#pragma once

#include <chrono>
#include <cstdint>

#include "core/result.h"
#include "workload/measure/progress.h"
#include "workload/measure/side_report.h"

namespace vtax {

enum class Stores { regular, nontemporal, automatic };

// The memory's bandwidth by STREAM's rules: three arrays of doubles, each at least four times the last-level
// caches; the four kernels one after the other, `rounds` times; for each the best round but the first; then
// the results are checked against the same arithmetic on three numbers, to 1e-13 on average as STREAM asks.
//
// Where vtax goes its own way: it asks for huge pages, keeps each thread on a CPU of its own, where it also
// touches its part first, and chooses its instructions when it runs. `automatic` tries both kinds of stores
// in a few rounds and keeps the better.
struct MemoryOptions {
  std::uint64_t array_bytes = 0;  // each of the three; 0: four times the caches (128 MiB if they are unknown)
  std::uint64_t threads = 1;
  std::uint64_t rounds = 10;
  Stores stores = Stores::automatic;
  Marking marking = {};  // of the window's progress
  bool window = false;   // the lab's markers around the rounds

  [[nodiscard]] Result<> check() const;
};

// Metrics: `triad`, `copy`, `scale`, `add` in B/s, counted as STREAM counts (no line that a store had to read
// first). Details: minimum, average and maximum time of each, instructions, stores, sizes, the largest error.
[[nodiscard]] Result<SideReport> run_memory(const MemoryOptions& options);

}  // namespace vtax
