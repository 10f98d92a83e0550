#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "record/database.h"
#include "record/trial.h"

namespace vtax {

// Reads a run file, which is taken as foreign: damaged, truncated, newer or hostile files give an error. All
// reads see the file as it was at open(), also while a writer adds to it.
class RunReader {
 public:
  enum class Detail {
    costs,  // all but `functions` and `timeline`, which stay empty
    all,
  };

  // Errors: no such file, no run file, newer schema (usage); damaged (io).
  [[nodiscard]] static Result<RunReader> open(const std::filesystem::path& file);

  // Everything but the trials.
  [[nodiscard]] const Run& header() const { return header_; }

  // Calls `use` with each recorded trial in the order of the plan; one trial is in memory at a time. Ends
  // with the first error, of the file (a trial that breaks record/trial_check.h or its seal is one) or of
  // `use`.
  [[nodiscard]] Result<> for_each(Detail detail, const std::function<Result<>(const Trial&)>& use);

  // The same of the trials that are wanted alone, by what stands in the trial's own row: factors, repetition,
  // error, digest, work, totals, provenance. The first pass reads all of them nevertheless, to check them.
  [[nodiscard]] Result<> for_each(Detail detail, const std::function<bool(const Trial&)>& wanted,
                                  const std::function<Result<>(const Trial&)>& use);

  // The whole run, for small ones.
  [[nodiscard]] Result<Run> all();

 private:
  RunReader(Database database, Run header);
  [[nodiscard]] Result<> load_strings();
  [[nodiscard]] Result<> check_seals();
  [[nodiscard]] Result<> check_seal(Statement& row, const Trial& trial);
  [[nodiscard]] bool is_sealed() const { return schema_version_ >= 5; }
  [[nodiscard]] Result<Trial> read_trial(Statement& row);
  [[nodiscard]] Result<> read_devices(Statement& rows, Trial& trial);
  [[nodiscard]] Result<> read_guests(Statement& rows, Trial& trial);
  [[nodiscard]] Result<> read_waiting(Statement& rows, Trial& trial);
  [[nodiscard]] Result<> read_busy(Statement& rows, Trial& trial);
  [[nodiscard]] Result<> read_the_timeline(Statement& row, Trial& trial);
  [[nodiscard]] Result<> read_the_schedule(Statement& row, Trial& trial);
  [[nodiscard]] Result<> read_ledger(Statement& rows, Trial& trial);
  [[nodiscard]] Result<> read_functions(Statement& rows, Trial& trial);
  [[nodiscard]] Result<std::string> provenance(std::uint64_t id);
  [[nodiscard]] const std::string* string(std::uint64_t id) const;

  std::unique_ptr<Database> database_;
  Run header_;
  std::uint32_t schema_version_ = 0;
  bool is_checked_ = false;           // all of it was read once and found whole
  std::vector<std::string> strings_;  // by id - 1
  std::uint64_t provenance_id_ = 0;   // the one that was read last: mostly all trials share it
  std::string provenance_;
};

}  // namespace vtax
