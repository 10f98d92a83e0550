#include "cli/explain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
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
#include "study/suggest.h"

namespace vtax {
namespace {

// "VM exits" and "vm-exits" are vm_exits.
std::string folded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == ' ' || c == '-')
      out += '_';
    else
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

std::string range_text(const Claim& claim) {
  if (claim.published.empty()) return claim.published_text;
  return fmt::format("{}{}{}", fmt::join(claim.published, " to "), claim.unit.empty() ? "" : " ", claim.unit);
}

// Values to try it with, as --set takes them; empty where nobody can say without knowing more.
std::string example_values(const Factor& factor) {
  if (!factor.choices.empty()) return fmt::format("{}", fmt::join(factor.choices, ","));
  if (factor.type == FactorType::arguments)
    return factor.name == "xen_args" ? "spec-ctrl=no" : "mitigations=off";
  return factor.fallback;
}

bool takes(const std::string& study, std::string_view workload, const Overrides& overrides) {
  const auto found = find_study(study);
  const auto plan = found ? make_plan(*found, overrides) : fail(found.error());
  return plan && std::any_of(plan->trials.begin(), plan->trials.end(), [&](const PlannedTrial& trial) {
           return workload.empty() || trial.factors.at("workload") == workload;
         });
}

// A command line of a study that comes with vtax and takes the factor; empty where none does.
std::string example_of(const Factor& factor, std::string_view workload) {
  const std::string values = example_values(factor);
  if (values.empty()) return "";
  const std::string set = fmt::format("{}={}", factor.name, values);
  std::vector<std::string> studies = built_in_studies();
  studies.insert(studies.begin(), "first-look");
  for (const char* machine : {"", "host"})
    for (const std::string& study : studies) {
      Overrides overrides{{set}, std::nullopt};
      overrides.machine = machine;
      if (takes(study, workload, overrides))
        return fmt::format("vtax run {}{} --set {}", study, *machine == 0 ? "" : " --machine host",
                           set.find(' ') == std::string::npos ? set : fmt::format("'{}'", set));
    }
  return "";
}

// Whatever is called so, in all of vtax's tables; what it finds it says.
class Explanation {
 public:
  explicit Explanation(std::string_view name) : name_(folded(name)) {}

  void look_everywhere() {
    for (const PlatformFacts& platform : kPlatformTable)
      if (is_named(platform.name)) tell("platform", platform.name, platform.summary);
    for (const WorkloadKind& workload : workloads()) {
      if (!is_named(workload.name)) continue;
      tell("workload", workload.name, workload.summary);
      say("  its factors: {}\n", fmt::join(names_of(workload.factors), ", "));
    }
    factors_of(common_factors(), "");
    for (const WorkloadKind& workload : workloads()) factors_of(workload.factors, workload.name);
    for (const EventKind& event : event_kinds())
      if (is_named(event.name)) tell_event(event);
    for (const GlossaryRow& row : glossary())
      if (is_named(row.word)) tell(row.is_layer ? "layer" : "word", row.word, row.meaning);
    for (const std::string& study : built_in_studies()) {
      if (!is_named(study)) continue;
      if (const auto found = find_study(study)) tell("study", study, found->question);
    }
    look_at_claims();
  }

  [[nodiscard]] bool has_found() const { return found_; }
  [[nodiscard]] const std::vector<std::string>& known() const { return known_; }

 private:
  bool is_named(std::string_view name) {
    known_.emplace_back(name);
    return folded(name) == name_;
  }

  void tell(std::string_view kind, std::string_view name, std::string_view meaning) {
    say("{}{} ({}): {}\n", found_ ? "\n" : "", name, kind, meaning);
    found_ = true;
  }

  // `workload`: whose factors they are; "" for every one's.
  void factors_of(const std::vector<Factor>& factors, std::string_view workload) {
    const std::string whose = workload.empty() ? "of every workload" : fmt::format("of {}", workload);
    for (const Factor& factor : factors) {
      if (!is_named(factor.name)) continue;
      tell("factor " + whose, factor.name, factor.help);
      say("  values: {}\n  default: {}\n", allowed_values(factor), usual_value(factor));
      if (const std::string example = example_of(factor, workload); !example.empty())
        say("  for example: {}\n", example);
      std::vector<std::string_view> platforms;
      for (const PlatformFacts& platform : kPlatformTable)
        if (factor.meaning.on_platform == nullptr || factor.meaning.on_platform(platform))
          platforms.push_back(platform.name);
      if (factor.meaning.on_platform != nullptr)
        say("  means something on: {}\n", fmt::join(platforms, ", "));
      if (factor.meaning.in_lab != factor.meaning.on_host)
        say("  only on machine {}\n", factor.meaning.in_lab ? "lab" : "host");
      if (factor.meaning.with_cards_alone) say("  only with topology card\n");
    }
  }

  void tell_event(const EventKind& event) {
    tell("event", event.name, event.meaning);
    if (event.by_probe) say("  counted by the probe itself\n");
    std::vector<std::string> places;
    for (const CountedAt& at : event.places)
      if (!at.function.empty()) places.push_back(fmt::format("{} of {}", at.function, at.image));
    if (!places.empty()) say("  counted at: {}\n", fmt::join(places, ", "));
  }

  // By "primet-2007/cost", or by the claim's own name.
  void look_at_claims() {
    for (const std::string& paper : built_in_published()) {
      const auto text = find_published(paper);
      const auto published = text ? parse_published(*text, paper) : fail(text.error());
      if (!published) continue;
      for (const Claim& claim : published->claims) {
        const std::string whole = paper + "/" + claim.id;
        if (folded(claim.id) != name_ && folded(whole) != name_) continue;
        tell("claim", whole, claim.says);
        say("  {}\n  {}\n  published: {}: {}\n", published->paper, claim.source, claim.quantity,
            range_text(claim));
        if (claim.test) say("  reproduced: {}\n", limits_text(*claim.test));
        if (!claim.not_testable.empty()) say("  not testable: {}\n", claim.not_testable);
        if (!claim.note.empty()) say("  {}\n", claim.note);
        say("  tested by: vtax run {}\n", paper);
      }
      for (const Claim& claim : published->claims) known_.push_back(claim.id);
    }
  }

  static std::string limits_text(const ClaimTest& test) {
    if (test.at_least && test.at_most) return fmt::format("from {} to {}", *test.at_least, *test.at_most);
    return test.at_least ? fmt::format("{} at least", *test.at_least)
                         : fmt::format("{} at most", test.at_most.value_or(0));
  }

  std::string name_;
  std::vector<std::string> known_;
  bool found_ = false;
};

Verb::Action add_explain_options(CLI::App& app) {
  auto words = std::make_shared<std::vector<std::string>>();
  app.add_option("NAME", *words,
                 "A factor, layer, event, claim, platform, workload, study, or a word of vtax's")
      ->required();
  return [words]() -> Result<ExitCode> {
    const std::string name = fmt::format("{}", fmt::join(*words, " "));
    Explanation explanation(name);
    explanation.look_everywhere();
    if (explanation.has_found()) return ExitCode::ok;
    const std::vector<std::string_view> known(explanation.known().begin(), explanation.known().end());
    const std::string_view near = nearest(name, known);
    return fail({fmt::format("cannot explain '{}'", printable(name)), "nothing of vtax's is called so",
                 near.empty() ? "`vtax list` names what there is" : fmt::format("did you mean '{}'?", near)});
  };
}

}  // namespace

Verb explain_verb() {
  return {"explain", "What a factor, layer, event, claim or word means",
          "vtax explain offloads\n  vtax explain hypervisor\n  vtax explain vm exits", add_explain_options,
          true};
}

}  // namespace vtax
