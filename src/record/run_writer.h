#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/result.h"
#include "record/database.h"
#include "record/file_lock.h"
#include "record/trial.h"

namespace vtax {

// Writes a run file, one transaction a trial: whatever ends the process, the file opens again with every
// trial whose append() returned. Readers may read meanwhile.
class RunWriter {
 public:
  // `header`: a Run without trials. Errors: the file exists (usage), system errors (io).
  [[nodiscard]] static Result<RunWriter> create(const std::filesystem::path& file, const Run& header);

  // Goes on with an existing file, or creates it. The study's name, settings, number of trials and vtax's
  // version must be the file's; the error says what differs. Started time, machine and comments in the study
  // may differ.
  [[nodiscard]] static Result<RunWriter> resume(const std::filesystem::path& file, const Run& header);

  // Before the first append: what the trials are made from, a JSON object of names and their content's
  // hashes. A file that has trials must have been made from the same: the error says what differs.
  [[nodiscard]] Result<> be_made_from(const std::string& json);

  // Places in the plan of the trials that ended without error.
  [[nodiscard]] const std::set<std::uint64_t>& finished() const { return finished_; }

  // Replaces an earlier failed trial of the same place. Errors leave the file as it was: full disk and the
  // like (io); a trial that breaks record/trial_check.h or is finished already.
  [[nodiscard]] Result<> append(const Trial& trial);

  // From here on append() does not wait for the disk: for a file that counts only when it is whole, and that
  // its maker brings to the disk after close().
  [[nodiscard]] Result<> count_as_a_whole();

  // Leaves one plain file without -wal and -shm beside it. The destructor does the same, in silence.
  void close();

  RunWriter(RunWriter&&) noexcept = default;
  RunWriter& operator=(RunWriter&&) noexcept = default;
  ~RunWriter();

 private:
  struct Statements;

  RunWriter(FileLock lock, Database database);
  [[nodiscard]] Result<> prepare();
  [[nodiscard]] Result<> write_header(const Run& header);
  [[nodiscard]] Result<> check_header(const Run& header);
  [[nodiscard]] Result<> load_known();
  [[nodiscard]] Result<> insert(const Trial& trial);
  [[nodiscard]] Result<> insert_details(const Trial& trial);
  [[nodiscard]] Result<std::uint64_t> string_id(const std::string& text);
  [[nodiscard]] Result<std::uint64_t> provenance_id(const std::string& json);

  FileLock lock_;  // let go of last
  std::unique_ptr<Database> database_;
  std::unique_ptr<Statements> statements_;
  std::set<std::uint64_t> finished_;
  std::map<std::string, std::uint64_t> strings_;
  std::vector<std::string> new_strings_;  // of the open transaction
  std::string what_;
};

}  // namespace vtax
