#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "study/speed.h"
#include "subject/stack.h"

namespace vtax {

// Canonical values (study/catalogue.h) of each factor, in the order in which they were written.
using FactorValues = std::map<std::string, std::vector<std::string>>;

struct StudyWorkload {
  std::string name;
  FactorValues factors;              // every factor of the workload: defaults are filled in
  FactorValues common = {};          // of the common factors those that this block names for itself
  std::set<std::string> named = {};  // its factors that the study file or the command line names

  bool operator==(const StudyWorkload&) const = default;
};

// A study file, checked against the catalogue and complete.
struct Study {
  std::string name;
  std::string question;
  std::string published;  // whose claims it tests (published/published.h): a name or a path; "" of nobody
  std::string machine;
  // 1..1000; nothing: as the machine's default is, 5 in the lab, on the host as many as minutes allow.
  std::optional<int> repetitions = {};
  FactorValues factors;              // every common factor
  std::set<std::string> named = {};  // of these, those that the file or the command line names
  std::vector<StudyWorkload> workloads;
  std::optional<Speed> speed;
  OwnStacks stacks = {};  // that it describes, for the factor `stack`
  bool terms = false;  // it is about a message's cost by its size: the page shows the terms (model/terms.h)
  std::string source;  // the file's text
  // What --quick took from the factors' values, so that a claim on it can say why its cell is not there.
  FactorValues left_out = {};
  std::vector<std::string> notes = {};  // what another machine than the file's leaves out, for people

  bool operator==(const Study&) const = default;
};

// The values of a common factor for one of the study's workloads.
[[nodiscard]] const std::vector<std::string>& values_of(const Study& study, const StudyWorkload& workload,
                                                        const std::string& common_factor);

inline constexpr int kMostRepetitions = 1000;
// Of a study of the host that says nothing of them the fewest: make_plan() knows its cells.
[[nodiscard]] int repetitions_of(const Study& study);

// `shown_name` names the text in errors. Errors: usage, with line, column, key and what is allowed.
[[nodiscard]] Result<Study> parse_study(std::string_view text, std::string_view shown_name);

// Files above 1 MiB are refused, and lines above 4096 bytes (deep keys would cost stack).
[[nodiscard]] Result<Study> read_study(const std::filesystem::path& file);

}  // namespace vtax
