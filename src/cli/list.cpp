#include "cli/list.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "account/event_table.h"
#include "cli/glossary.h"
#include "cli/say.h"
#include "core/readable.h"
#include "published/find_published.h"
#include "published/published.h"
#include "study/catalogue.h"
#include "study/find_study.h"
#include "study/plan.h"

namespace vtax {
namespace {

void print_factor(const Factor& factor) {
  say("    {:<20} {} ({}; default {})\n", factor.name, factor.help, allowed_values(factor),
      usual_value(factor));
}

Result<> list_platforms() {
  for (const PlatformFacts& platform : kPlatformTable) {
    say("{:<12} {}\n", platform.name, platform.summary);
  }
  return {};
}

Result<> list_workloads() {
  for (const WorkloadKind& workload : workloads()) {
    say("{:<12} {}\n", workload.name, workload.summary);
    for (const Factor& factor : workload.factors) print_factor(factor);
  }
  say("every workload\n");
  for (const Factor& factor : common_factors()) print_factor(factor);
  return {};
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

// One line each, whichever workload's they are.
Result<> list_factors() {
  std::map<std::string_view, std::vector<std::string_view>> owners;
  for (const WorkloadKind& workload : workloads())
    for (const Factor& factor : workload.factors) owners[factor.name].push_back(workload.name);
  for (const Factor& factor : common_factors()) say("{:<24} {}\n", factor.name, factor.help);
  for (const auto& [name, workloads_with_it] : owners)
    say("{:<24} of {}\n", name, fmt::join(workloads_with_it, ", "));
  return {};
}

Result<> list_events() {
  for (const EventKind& event : event_kinds()) say("{:<30} {}\n", event.name, event.meaning);
  return {};
}

Result<> list_layers() {
  for (const GlossaryRow& row : glossary())
    if (row.is_layer) say("{:<12} {}\n", row.word, row.meaning);
  return {};
}

Result<> list_claims() {
  for (const std::string& paper : built_in_published()) {
    const auto text = find_published(paper);
    if (!text) return fail(text.error());
    const auto published = parse_published(*text, paper);
    if (!published) return fail(published.error());
    for (const Claim& claim : published->claims) say("{}/{}: {}\n", paper, claim.id, claim.says);
  }
  return {};
}

struct Listed {
  std::string_view name, summary;
  Result<> (*list)();
};

constexpr Listed kLists[] = {
    {"studies", "what comes with vtax: `vtax run NAME`", list_studies},
    {"platforms", "how work can be virtualised: --set platform=...", list_platforms},
    {"workloads", "what can be at work, each with its factors", list_workloads},
    {"factors", "what a study may vary: --set NAME=VALUES", list_factors},
    {"layers", "who can have executed: the rows of every result", list_layers},
    {"events", "what is counted beside instructions", list_events},
    {"claims", "what papers say, and a run answers", list_claims},
};

void list_lists() {
  say("`vtax list WHAT`, with WHAT one of\n");
  for (const Listed& listed : kLists) say("  {:<12} {}\n", listed.name, listed.summary);
  say("`vtax explain NAME` tells more of any one of them.\n");
}

Verb::Action add_list_options(CLI::App& app) {
  auto what = std::make_shared<std::string>();
  std::vector<std::string> names;
  for (const Listed& listed : kLists) names.emplace_back(listed.name);
  app.add_option("WHAT", *what, "Without it: what there is to list")->check(CLI::IsMember(names));
  return [what]() -> Result<ExitCode> {
    if (what->empty()) list_lists();
    for (const Listed& listed : kLists) {
      if (listed.name != *what) continue;
      if (auto done = listed.list(); !done) return fail(done.error());
    }
    return ExitCode::ok;
  };
}

}  // namespace

Verb list_verb() {
  return {"list", "What can be measured: platforms, workloads with their factors, studies, and the rest",
          "vtax list workloads", add_list_options, true};
}

}  // namespace vtax
