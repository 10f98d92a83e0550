#include "subject/trial_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/cache_shape.h"
#include "core/lab_prices.h"
#include "core/readable.h"
#include "subject/boot_arguments.h"
#include "subject/factor_table.h"
#include "subject/stack.h"
#include "subject/workload_table.h"

namespace vtax {
namespace {

bool is_number(const Factor& factor) {
  return factor.type == FactorType::bytes || factor.type == FactorType::count;
}

bool is_line(const Factor& factor, std::string_view text) {
  if (text.size() > factor.high || !is_text(text)) return false;
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool has_single_spaces(std::string_view text) {
  return text.empty() ||
         (text.front() != ' ' && text.back() != ' ' && text.find("  ") == std::string_view::npos);
}

bool is_canonical(const Factor& factor, std::string_view text) {
  if (is_number(factor)) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() && number >= factor.low &&
           number <= factor.high;
  }
  if (is_text(factor.type)) return fits(factor, text);
  if (std::find(factor.choices.begin(), factor.choices.end(), text) != factor.choices.end()) return true;
  if (factor.type == FactorType::stack) return is_stack_name(text);
  if (factor.type == FactorType::prices) return read_lab_prices(text).has_value();
  return factor.type == FactorType::caches && read_caches(text).has_value();
}

Error cannot_plan(std::string why) {
  return {"cannot plan the trial", std::move(why), "", ExitCode::usage};
}

void set_defaults(const WorkloadKind& workload, TrialSpec& spec) {
  spec.workload = workload.id;
  for (const Factor& factor : workload.factors) factor.set(spec, factor.fallback);
}

// What follows from the factors together.
void settle(const WorkloadKind& workload, TrialSpec& spec) {
  spec.compiler = workload.has_compiler;
  if (!has_driver_domains(spec.platform)) spec.driver_domains = 0;
  spec.cards = std::max(spec.cards, spec.driver_domains);  // each has one
}

Result<> take_from(const JsonFields& plan, const Factor& factor, TrialSpec& spec) {
  const std::string name(factor.name);
  if (is_number(factor)) {
    const auto number = plan.number(name.c_str(), factor.low, factor.high);
    if (!number) return fail(number.error());
    factor.set(spec, std::to_string(*number));
    return {};
  }
  constexpr std::size_t kLongestWord = 512;
  const auto text = plan.text(name.c_str(), std::max<std::size_t>(kLongestWord, factor.high));
  if (!text) return fail(text.error());
  if (put(factor, *text, spec)) return {};
  return fail(plan.bad(fmt::format("'{}' is '{}', which is not known", name, printable(*text))));
}

}  // namespace

bool fits(const Factor& factor, std::string_view text) {
  return is_line(factor, text) && (factor.type != FactorType::words || has_single_spaces(text)) &&
         (factor.type != FactorType::arguments || why_not_appended(text).empty());
}

Result<> put(const Factor& factor, std::string_view canonical, TrialSpec& spec) {
  if (!is_canonical(factor, canonical))
    return fail(
        cannot_plan(fmt::format("'{}' is no value of factor '{}'", printable(canonical), factor.name)));
  factor.set(spec, canonical);
  return {};
}

Result<TrialSpec> trial_spec_of(const std::map<std::string, std::string>& factors) {
  TrialSpec spec;
  const auto named = factors.find("workload");
  const WorkloadKind* workload =
      named == factors.end() ? &workload_of(spec.workload) : find_workload(named->second);
  if (workload == nullptr)
    return fail(cannot_plan(fmt::format("'{}' is not a workload", printable(named->second))));
  set_defaults(*workload, spec);
  for (const auto& [name, value] : factors) {
    if (name == "workload") continue;
    if (name == "variation") {
      spec.variation = value;
      continue;
    }
    const Factor* factor = find_factor(common_factors(), name);
    if (factor == nullptr) factor = find_factor(workload->factors, name);
    if (factor == nullptr)
      return fail(cannot_plan(fmt::format("'{}' is no factor of {}", printable(name), workload->name)));
    if (Result<> taken = put(*factor, value, spec); !taken) return fail(taken.error());
  }
  settle(*workload, spec);
  return spec;
}

nlohmann::json to_json(const TrialSpec& spec) {
  const WorkloadKind& workload = workload_of(spec.workload);
  nlohmann::json plan{{"workload", workload.name}};
  const auto add = [&](const Factor& factor) {
    const std::string name(factor.name), text = factor.get(spec);
    if (is_number(factor))
      plan[name] = std::stoull(text);
    else
      plan[name] = text;
  };
  for (const Factor& factor : common_factors())
    if (factor.readers.plan) add(factor);
  for (const Factor& factor : workload.factors) add(factor);
  return plan;
}

Result<TrialSpec> trial_spec_from(const JsonFields& plan, const std::vector<std::string_view>& more) {
  const auto name = plan.text("workload");
  if (!name) return fail(name.error());
  const WorkloadKind* workload = find_workload(*name);
  if (workload == nullptr)
    return fail(plan.bad(fmt::format("'workload' is '{}', which is not known", printable(*name))));
  std::vector<std::string_view> known = more;
  known.emplace_back("workload");
  for (const Factor& factor : common_factors())
    if (factor.readers.plan) known.push_back(factor.name);
  for (const Factor& factor : workload->factors) known.push_back(factor.name);
  if (Result<> only = plan.only(known); !only) return fail(only.error());

  TrialSpec spec;
  set_defaults(*workload, spec);
  for (const Factor& factor : common_factors()) {
    const bool is_needed = factor.name == "platform" || factor.name == "topology";
    if (!factor.readers.plan || (!is_needed && !plan.has(std::string(factor.name).c_str()))) continue;
    if (Result<> taken = take_from(plan, factor, spec); !taken) return fail(taken.error());
  }
  for (const Factor& factor : workload->factors)
    if (Result<> taken = take_from(plan, factor, spec); !taken) return fail(taken.error());
  spec.compiler = workload->has_compiler;
  return spec;
}

}  // namespace vtax
