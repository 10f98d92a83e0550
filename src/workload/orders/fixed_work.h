#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "core/json_fields.h"
#include "core/result.h"
#include "workload/measure/progress.h"
#include "workload/measure/side_report.h"

namespace vtax {

// A local workload of which the amount is fixed, so that instructions can be compared: what the lab's studies
// name. The work itself is the generators' of this folder.
struct FixedWork {
  enum class Kind { memory, linpack, cpu_loop, disk, compile };
  Kind kind = Kind::cpu_loop;
  std::uint64_t array_bytes = 0, rounds = 0;           // memory: of each of the three arrays; of four kernels
  std::uint64_t size = 0, systems = 0;                 // linpack: of one system; how many are solved
  bool single_precision = true;                        // linpack
  std::uint64_t iterations = 0;                        // cpu-loop
  std::uint64_t bytes = 0, block_bytes = 0;            // disk: in all, rounded up to whole blocks
  bool writes = true, random = false, direct = false;  // disk
  bool in_tmpdir = false;  // disk, on the real host: in $TMPDIR rather than in memory
  std::string file;  // disk: where; a block device, or a file to be made. Whoever arranges the trial names it

  std::uint64_t compiles = 0;  // compile: at once
  std::string source;          // compile: the program's name

  static constexpr std::uint64_t kMostArrayBytes = 32 << 20;  // three of them in a guest of the lab
  static constexpr std::uint64_t kMostRounds = 1000, kMostSize = 1000, kMostSystems = 1'000'000,
                                 kMostIterations = 10'000'000'000, kMostCompiles = 16;
  static constexpr std::uint64_t kMostDiskBytes = std::uint64_t{4} << 30, kMostBlockBytes = 1 << 20;
  static constexpr std::uint64_t kDiskStoreBytes = 32 << 20;  // of one disk; more bytes go over it again

  [[nodiscard]] nlohmann::json to_json() const;
  // Keys: "kind" and those of the kind; what belongs to another kind may stand there and is passed over.
  [[nodiscard]] static Result<FixedWork> from(const JsonFields& fields, const char* kind_key = "kind");
};

[[nodiscard]] bool is_fixed_work(
    std::string_view name);  // "memory", "linpack", "cpu-loop", "disk", "compile"

// `window`: the lab's markers around the measured part, and of the progress in it.
[[nodiscard]] Result<SideReport> run_fixed_work(const FixedWork& work, bool window,
                                                const Marking& marking = {});

}  // namespace vtax
