#include "record/run_header.h"

#include <fmt/format.h>

#include <vector>

#include "core/readable.h"
#include "record/json_difference.h"
#include "record/seal.h"
#include "record/trial_check.h"

namespace vtax {

Result<> write_run_header(Database& database, const Run& header) {
  auto insert = database.prepare("INSERT INTO run VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!insert) return fail(insert.error());
  int parameter = 1;
  for (const std::string* text : {&header.study, &header.question, &header.study_source, &header.settings,
                                  &header.vtax_version, &header.started_utc, &header.machine}) {
    if (!is_text(*text))
      return fail({database.what(), "a text of the run's header is not UTF-8", "", ExitCode::usage});
    insert->bind(parameter++, *text);
  }
  for (const std::string* json : {&header.settings, &header.machine}) {
    if (!is_json_object(*json))
      return fail({database.what(), "settings and machine must be JSON objects", ""});
  }
  insert->bind(parameter, header.planned_trials);
  if (const int code = insert->step(); code != SQLITE_DONE) return fail(database.error(code));
  auto seal = database.prepare("INSERT INTO seal VALUES (0, ?)");
  if (!seal) return fail(seal.error());
  const std::string sha256 = seal_of(header);
  seal->bind(1, sha256);
  if (const int code = seal->step(); code != SQLITE_DONE) return fail(database.error(code));
  return {};
}

Result<Run> read_run_header(Database& database) {
  auto select = database.prepare(
      "SELECT study, question, study_source, settings, vtax_version, started_utc, machine, planned_trials "
      "FROM run");
  if (!select) return fail(select.error());
  const int code = select->step();
  if (code == SQLITE_DONE) return fail(database.damaged("its header is missing"));
  if (code != SQLITE_ROW) return fail(database.error(code));
  Run run;
  int column = 0;
  for (std::string* text : {&run.study, &run.question, &run.study_source, &run.settings, &run.vtax_version,
                            &run.started_utc, &run.machine}) {
    *text = select->text(column++);
  }
  run.planned_trials = select->count(column);
  if (!select->well_formed() || !is_json_object(run.settings) || !is_json_object(run.machine)) {
    return fail(database.damaged("its header is not well formed"));
  }
  return run;
}

std::string resume_differences(const Run& stored, const Run& wanted) {
  std::vector<std::string> all;
  const auto compare = [&](std::string_view name, const std::string& a, const std::string& b) {
    if (a != b)
      all.push_back(fmt::format("{}: the file has {}, this run {}", name, printable(a), printable(b)));
  };
  compare("study", stored.study, wanted.study);
  compare("vtax's version", stored.vtax_version, wanted.vtax_version);
  for (const JsonDifference& d : json_differences(stored.settings, wanted.settings)) {
    if (d.path == "/published") continue;  // what a paper says changes no trial
    all.push_back(fmt::format("{}: the file has {}, this run {}", d.path, d.left, d.right));
  }
  compare("number of trials", std::to_string(stored.planned_trials), std::to_string(wanted.planned_trials));
  constexpr std::size_t shown = 3;
  if (all.size() > shown) {
    const std::size_t more = all.size() - shown;
    all.resize(shown);
    all.push_back(fmt::format("and {} more", more));
  }
  return fmt::format("{}", fmt::join(all, "; "));
}

}  // namespace vtax
