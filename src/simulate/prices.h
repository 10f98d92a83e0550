#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/result.h"
#include "record/trial.h"
#include "subject/trial_spec.h"

namespace vtax::simulate {

// What one guest alone cost in the lab: the price of its work, by who executes it. Instructions of the whole
// cell, idle loops left out.
struct PricedCell {
  std::map<std::string, std::string> factors;
  TrialSpec spec;
  std::uint64_t index = 0;  // of the trial, in its run
  using Costs = std::map<std::pair<Layer, Part>, std::uint64_t>;
  Costs guest, driver;
  std::uint64_t peer = 0;  // all of its CPU, idle loops too
  Work work;
  std::uint64_t window_ns = 0;  // at the cell's own speed; 0: not known
};

// How much of its workload a trial asks of one guest: bytes, transactions, requests, iterations, rounds or
// systems; 0: a workload that the simulator does not know.
[[nodiscard]] std::uint64_t amount_of(const TrialSpec& spec);

class PriceList {
 public:
  // From a run file of the lab: of each cell with one guest on a CPU of its own, undisturbed, the repetition
  // of median cost. Errors: as RunReader; a run of another machine, or without such a cell (usage).
  [[nodiscard]] static Result<PriceList> read(const std::filesystem::path& run_file);

  // The cell that differs from the factors in nothing but what the simulator works out. Of several the one
  // that differs least. Error (usage): there is none, and what the nearest one differs in.
  [[nodiscard]] Result<const PricedCell*> find(const std::map<std::string, std::string>& factors) const;

  // The speed that all cells have been measured at; 0 where they differ.
  [[nodiscard]] int cpu_mips() const;
  [[nodiscard]] const std::string& digest() const { return digest_; }  // SHA-256 of the file

 private:
  std::string file_, digest_;
  std::vector<PricedCell> cells_;
};

}  // namespace vtax::simulate
