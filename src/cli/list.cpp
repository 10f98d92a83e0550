#include "cli/list.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>

#include "cli/say.h"
#include "core/readable.h"
#include "study/catalogue.h"
#include "study/find_study.h"
#include "study/plan.h"

namespace vtax {
namespace {

void print_factor(const Factor& factor) {
  say("    {:<20} {} ({}; default {})\n", factor.name, factor.help, allowed_values(factor),
      factor.type == FactorType::bytes ? readable_bytes(std::stoull(factor.fallback)) : factor.fallback);
}

void list_platforms() {
  for (const PlatformFacts& platform : platform_table) {
    say("{:<12} {}\n", platform.name, platform.summary);
  }
}

void list_workloads() {
  for (const WorkloadKind& workload : workloads()) {
    say("{:<12} {}\n", workload.name, workload.summary);
    for (const Factor& factor : workload.factors) print_factor(factor);
  }
  say("every workload\n");
  for (const Factor& factor : common_factors()) print_factor(factor);
}

Result<> list_studies() {
  for (const std::string& name : built_in_studies()) {
    auto study = find_study(name);
    if (!study) return fail(study.error());
    const auto plan = make_plan(*study, {});
    if (!plan) return fail(plan.error());
    say("{:<16} {} trials: {}\n", name, plan->trials.size(), study->question);
  }
  return {};
}

Verb::Action add_list_options(CLI::App& app) {
  auto what = std::make_shared<std::string>();
  app.add_option("WHAT", *what, "platforms, workloads or studies")
      ->required()
      ->check(CLI::IsMember({"platforms", "workloads", "studies"}));
  return [what]() -> Result<ExitCode> {
    if (*what == "platforms") list_platforms();
    if (*what == "workloads") list_workloads();
    if (*what == "studies") {
      if (auto listed = list_studies(); !listed) return fail(listed.error());
    }
    return ExitCode::ok;
  };
}

}  // namespace

Verb list_verb() {
  return {"list", "What can be measured: platforms, workloads with their factors, studies",
          "vtax list workloads", add_list_options};
}

}  // namespace vtax
