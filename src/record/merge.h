#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"

namespace vtax {

// What became of several run files of one plan.
struct Merged {
  std::uint64_t planned = 0, finished = 0, failed = 0;
  std::vector<std::uint64_t> missing;  // places in the plan that no file has, ascending
  std::string digest;                  // that of a report of the merged run (docs/report-schema.md, `digest`)
};

enum class Incomplete { refused, kept };

// Makes one run file of several: shares of a plan, or what different processes have done of it. `out` has
// every trial with its provenance, the settings of one process without its share, and in `merged_from` for
// each file its share, begin, computer and trials; `vtax run --resume` goes on with it. A trial that ended
// goes before one that failed. `out` is written beside its place and appears when it is whole. Errors,
// nothing written: no files, or `out` is there (usage); files of different studies, settings, builds,
// kernels, packages, or of different computers where the host was measured, named (usage); a file that does
// not say what it was made from (usage); a trial that ended in two files differently (io); trials are
// missing, where that is refused (trial_failed); those of reading and writing.
[[nodiscard]] Result<Merged> merge_runs(const std::vector<std::filesystem::path>& files,
                                        const std::filesystem::path& out, Incomplete incomplete);

// "7 to 9, 12", for people, who count from 1: at most `most` ranges of these places.
[[nodiscard]] std::string places_text(const std::vector<std::uint64_t>& ascending, std::size_t most = 5);

}  // namespace vtax
