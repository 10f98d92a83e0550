#pragma once

#include <optional>
#include <ostream>
#include <vector>

#include "core/result.h"
#include "record/run_reader.h"

// Counts by function, in the forms that profilers use: the lab's exact ones, or samples (src/profile).
namespace vtax {

struct Caller {
  std::string image, function;
};

// What a profile is of: one trial, or all trials when they repeat one combination of factors (their sum).
struct Profile {
  std::string study;
  std::string title;  // the trial's factors in words
  std::uint64_t trials = 0;
  std::uint64_t total = 0;              // the functions add up to it
  std::vector<FunctionCost> functions;  // the dearest first
  std::string unit = "instructions";    // what is counted: these, or "samples"
  // Who called functions[i], the outermost first. Empty where nobody knows: the lab counts without stacks.
  std::vector<std::vector<Caller>> callers;
};

// `trial`: its number, from 1. Errors (usage): no such trial, a failed one, none with functions; without
// `trial`, trials of different factors, whose sum would mean nothing.
[[nodiscard]] Result<Profile> read_profile(RunReader& reader, std::optional<std::uint64_t> trial);

// Count, per cent, image and function (dissertation, table 5.2).
void write_profile_table(const Profile& profile, std::ostream& out);

// One line a function: "domain;layer;image;function count", what flame graph tools read; callers, where they
// are known, stand between image and function.
void write_folded(const Profile& profile, std::ostream& out);

// For callgrind_annotate and KCachegrind: the format of valgrind's manual, "Callgrind Format Specification".
// The image is the object, domain and layer are the file; callers are left out.
void write_callgrind(const Profile& profile, std::ostream& out);

}  // namespace vtax
