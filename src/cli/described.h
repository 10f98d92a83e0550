#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

// What CLI11's tree of verbs and options holds, for whoever describes it.
namespace vtax {

[[nodiscard]] std::vector<const CLI::App*> verbs_of(const CLI::App& app);
[[nodiscard]] std::vector<const CLI::Option*> options_of(const CLI::App& app);  // those with a dash
[[nodiscard]] std::vector<const CLI::Option*> positionals_of(const CLI::App& app);

// "-o", "--out".
[[nodiscard]] std::vector<std::string> names_of(const CLI::Option& option);
[[nodiscard]] bool takes_value(const CLI::Option& option);
// Of an option that has one of a few values; empty where it may have others.
[[nodiscard]] std::vector<std::string> values_of(const CLI::Option& option);

// What can be completed besides options and their values.
struct Completed {
  std::vector<std::string> studies;
  std::vector<std::string> factors;      // "platform="
  std::vector<std::string> assignments;  // "platform=native", of factors with names for values
  std::vector<std::string> explained;    // what `vtax explain` knows
};
[[nodiscard]] const Completed& completed();

}  // namespace vtax
