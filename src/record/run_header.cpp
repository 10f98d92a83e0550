#include "record/run_header.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cctype>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/readable.h"
#include "record/json_difference.h"
#include "record/seal.h"
#include "record/trial_check.h"

namespace vtax {
namespace {

constexpr const char* kMadeFrom = "made_from";

// What a paper says; where the user's own files lie; how the command line asked for what is compared; which
// files it was merged from; and what the run was made from, which is compared later.
bool is_compared(std::string_view path) {
  for (const char* other : {"/published", "/kernel", "/modules", "/xen"})
    if (path == other) return false;
  for (const char* begin : {kMadeFrom, kAskedFor, kMergedFrom})
    if (path.starts_with(std::string("/") + begin)) return false;
  return true;
}

// "/packages of native/linux-image-6" as "packages of native: linux-image-6".
std::string name_of_part(std::string_view path) {
  std::string name(path.substr(path.empty() ? 0 : 1));
  if (const std::size_t at = name.find('/'); at != std::string::npos) name.replace(at, 1, ": ");
  return name;
}

// The first few.
std::string some_of(std::vector<std::string> all) {
  constexpr std::size_t kShown = 3;
  if (all.size() > kShown) {
    const std::size_t more = all.size() - kShown;
    all.resize(kShown);
    all.push_back(fmt::format("and {} more", more));
  }
  return fmt::format("{}", fmt::join(all, "; "));
}

// Long hashes by their first digits.
std::string shortened(std::string_view value) {
  constexpr std::size_t kShown = 12, kHash = 32;
  std::string out;
  for (std::size_t at = 0; at < value.size();) {
    std::size_t end = at;
    while (end < value.size() && std::isxdigit(static_cast<unsigned char>(value[end])) != 0) ++end;
    if (end == at) {
      out += value[at++];
      continue;
    }
    out += end - at >= kHash ? std::string(value.substr(at, kShown)) + "..."
                             : std::string(value.substr(at, end - at));
    at = end;
  }
  return out;
}

template <class IsCompared>
std::string header_differences(const Run& a, const Run& b, const TwoRuns& names,
                               const IsCompared& is_setting) {
  std::vector<std::string> all;
  const auto differ = [&](std::string_view name, const std::string& left, const std::string& right) {
    all.push_back(fmt::format("{}: {} {}, {} {}", name, names.first, left, names.second, right));
  };
  const auto compare = [&](std::string_view name, const std::string& left, const std::string& right) {
    if (left != right) differ(name, printable(left), printable(right));
  };
  compare("study", a.study, b.study);
  compare("vtax's version", a.vtax_version, b.vtax_version);
  for (const JsonDifference& d : json_differences(a.settings, b.settings))
    if (is_setting(d.path)) differ(d.path, d.left, d.right);
  compare("number of trials", std::to_string(a.planned_trials), std::to_string(b.planned_trials));
  return some_of(std::move(all));
}

}  // namespace

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
  return header_differences(stored, wanted, {}, [](std::string_view path) { return is_compared(path); });
}

std::string merge_differences(const Run& a, const Run& b, const TwoRuns& names) {
  return header_differences(a, b, names, [](std::string_view path) {
    return is_compared(path) && path != std::string("/") + kShard;
  });
}

std::optional<std::string> made_from(const Run& header) {
  const auto settings = nlohmann::json::parse(header.settings, nullptr, false);
  if (!settings.is_object() || !settings.contains(kMadeFrom)) return std::nullopt;
  return settings[kMadeFrom].dump();
}

Result<> set_made_from(Database& database, const std::string& json) {
  auto header = read_run_header(database);
  if (!header) return fail(header.error());
  auto settings = nlohmann::json::parse(header->settings);
  settings[kMadeFrom] = nlohmann::json::parse(json);
  header->settings = settings.dump();
  auto update = database.prepare("UPDATE run SET settings = ?");
  auto seal = database.prepare("UPDATE seal SET sha256 = ? WHERE id = 0");
  if (!update || !seal) return fail(update ? seal.error() : update.error());
  update->bind(1, header->settings);
  const std::string sha256 = seal_of(*header);
  seal->bind(1, sha256);
  for (Statement* statement : {&*update, &*seal})
    if (const int code = statement->step(); code != SQLITE_DONE) return fail(database.error(code));
  return {};
}

std::string made_from_differences(const std::string& stored, const std::string& wanted,
                                  const TwoRuns& names) {
  std::vector<std::string> all;
  for (const JsonDifference& d : json_differences(stored, wanted))
    all.push_back(fmt::format("{}: {} {}, {} {}", name_of_part(d.path), names.first, shortened(d.left),
                              names.second, shortened(d.right)));
  return some_of(std::move(all));
}

}  // namespace vtax
