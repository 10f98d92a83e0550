#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/result.h"
#include "study/study.h"

namespace vtax {

// What the command line changes in a study.
struct Overrides {
  std::vector<std::string> set;    // "factor=value[,value]"; "workload=..." keeps only these workloads
  std::optional<int> repetitions;  // --reps
  std::string vary = {};           // --vary: "layout,seed,timer[:N]", "" for none
  bool quick = false;              // --quick: a tenth of the work of each trial, once
  std::string machine = {};        // --machine, "" for the study's own
};

struct PlannedTrial {
  std::uint64_t index = 0;                     // 0, 1, 2, ...: its place in the plan
  int repetition = 1;                          // 1, 2, ...
  std::map<std::string, std::string> factors;  // canonical; "platform" and "workload" among them
};

// What --vary names: "layout-1", "layout-2", ..., "seed-1", ...; empty for "". Errors: usage.
[[nodiscard]] Result<std::vector<std::string>> variations_of(std::string_view vary);

// Every combination of every factor's values; a factor that means nothing for a platform does not multiply
// its trials. With --vary each trial has the factor `variation`, "none" in the first pass; the passes that
// follow repeat everything on machines that are perturbed. Whole passes are repeated (the repetition varies
// slowest), so that a run that is broken off has compared everything before it repeats anything, and slow
// drift of the measuring computer falls on all cells alike; the lab, which has neither to fear, runs a cell's
// repetitions one after the other in one machine. Within a pass the common factors vary slowest,
// the platform slowest of all: a platform's trials stand together and share its snapshot.
struct Plan {
  Study study;  // with the overrides in it
  std::vector<PlannedTrial> trials;
  std::vector<std::string> variations;  // beside the unperturbed trials
  // What the study names without meaning (study/meaning.h): by platform, and in words.
  std::map<std::string, std::set<std::string>> set_aside = {};
  std::vector<std::string> notes = {};
};

inline constexpr std::uint64_t kMostTrials = 10'000;

// Errors: usage. An unknown factor or value comes with the nearest one; a study of more than kMostTrials
// is refused before anything is built; so are two workloads of a study file that would make the same trial
// twice (with overrides one of them is left out), and a value that means nothing anywhere in the study.
[[nodiscard]] Result<Plan> make_plan(Study study, const Overrides& overrides);

// What the study comes to, with overrides and defaults in it, for the run file: {"machine", "repetitions",
// "factors": {name: [values]}, "workloads": [{"name", "factors"}]}; with "set_aside": {platform: [factors]}
// where that is not empty.
[[nodiscard]] nlohmann::json effective_settings(const Plan& plan);

// How many trials the study makes at most, where every factor has a meaning; exact below 2^53, and never
// overflows.
[[nodiscard]] double count_trials(const Study& study);

// Applies Overrides::set and repetitions to the study.
[[nodiscard]] Result<> apply(const Overrides& overrides, Study& study);

}  // namespace vtax
