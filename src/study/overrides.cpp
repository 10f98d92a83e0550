#include <fmt/format.h>

#include <algorithm>

#include "core/readable.h"
#include "study/catalogue.h"
#include "study/machine_rules.h"
#include "study/plan.h"
#include "study/suggest.h"

namespace vtax {
namespace {

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  for (std::size_t start = 0;;) {
    const std::size_t comma = list.find(',', start);
    parts.emplace_back(list.substr(start, comma - start));
    if (comma == std::string_view::npos) return parts;
    start = comma + 1;
  }
}

Result<std::vector<std::string>> canonical_list(const Factor& factor, std::string_view list,
                                                const std::string& what) {
  std::vector<std::string> values;
  for (const std::string& text : is_text(factor.type) ? std::vector{std::string(list)} : split(list)) {
    auto value = canonical(factor, text);
    if (!value) return fail({what, value.error().why, value.error().next});
    values.push_back(std::move(*value));
  }
  return values;
}

// Keeps the named workloads; one that the study lacks comes with its defaults.
Result<> set_workloads(std::string_view list, const std::string& what, Study& study) {
  std::vector<StudyWorkload> kept;
  for (const std::string& name : split(list)) {
    const WorkloadKind* kind = find_workload(name);
    if (kind == nullptr) {
      return fail(
          {what, fmt::format("'{}' is not a workload", printable(name)), suggestion(name, workload_names())});
    }
    const std::size_t before = kept.size();
    std::copy_if(study.workloads.begin(), study.workloads.end(), std::back_inserter(kept),
                 [&](const StudyWorkload& w) { return w.name == name; });
    if (kept.size() > before) continue;
    StudyWorkload added{name, {}};
    for (const Factor& factor : kind->factors)
      added.factors[std::string(factor.name)] = {std::string(factor.fallback)};
    kept.push_back(std::move(added));
  }
  study.workloads = std::move(kept);
  return {};
}

Result<> unknown_factor(std::string_view name, const std::string& what, const Study& study) {
  std::vector<std::string_view> known = names_of(common_factors());
  known.insert(known.end(), {"workload", "machine"});
  for (const WorkloadKind& kind : workloads()) {
    const bool used = std::any_of(study.workloads.begin(), study.workloads.end(),
                                  [&](const StudyWorkload& w) { return w.name == kind.name; });
    const auto names = names_of(kind.factors);
    if (!used && std::find(names.begin(), names.end(), name) != names.end()) {
      return fail(
          {what, fmt::format("'{}' is a factor of {}, which this study does not run", name, kind.name), ""});
    }
    if (used) known.insert(known.end(), names.begin(), names.end());
  }
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  return fail({what, fmt::format("unknown factor '{}'", printable(name)), suggestion(name, known)});
}

// `what`: the option that names it.
Result<> set_machine_by(std::string_view machine, const std::string& what, Study& study) {
  auto set = set_machine(machine, study);
  return set ? set : fail({what, set.error().why, set.error().next});
}

Result<> set_factor(std::string_view name, std::string_view list, const std::string& what, Study& study) {
  if (name == "machine") return set_machine_by(list, what, study);
  if (const Factor* factor = find_factor(common_factors(), name); factor != nullptr) {
    auto values = canonical_list(*factor, list, what);
    if (!values) return fail(values.error());
    study.factors[std::string(name)] = std::move(*values);
    study.named.emplace(name);
    for (StudyWorkload& workload : study.workloads) workload.common.erase(std::string(name));
    return {};
  }
  bool found = false;
  for (StudyWorkload& workload : study.workloads) {
    const Factor* factor = find_factor(find_workload(workload.name)->factors, name);
    if (factor == nullptr) continue;
    auto values = canonical_list(*factor, list, what);
    if (!values) return fail(values.error());
    workload.factors[std::string(name)] = std::move(*values);
    workload.named.emplace(name);
    found = true;
  }
  return found ? Result<>() : unknown_factor(name, what, study);
}

// Each number, a `part`th of it but no less than `least` where it is more, once. What is no longer among them
// is noted in `left_out`.
void lessen(FactorValues& factors, const std::string& name, std::uint64_t part, std::uint64_t least,
            FactorValues& left_out) {
  const auto factor = factors.find(name);
  if (factor == factors.end()) return;
  std::vector<std::string> fewer;
  for (const std::string& value : factor->second) {
    const std::uint64_t number = std::stoull(value);  // canonical: checked when it was read
    std::string quick = std::to_string(std::min(number, std::max(least, number / part)));
    if (std::find(fewer.begin(), fewer.end(), quick) == fewer.end()) fewer.push_back(std::move(quick));
  }
  for (const std::string& value : factor->second) {
    std::vector<std::string>& gone = left_out[name];
    const auto is_in = [&](const std::vector<std::string>& list) {
      return std::find(list.begin(), list.end(), value) != list.end();
    };
    if (!is_in(fewer) && !is_in(gone)) gone.push_back(value);
  }
  if (left_out[name].empty()) left_out.erase(name);
  factor->second = std::move(fewer);
}

// Less work of the same kind. What --set names afterwards is taken as it stands.
void make_quick(Study& study) {
  constexpr std::uint64_t kPart = 8, kTwo = 2;
  study.repetitions = 1;
  for (StudyWorkload& workload : study.workloads) {
    for (const Factor& factor : find_workload(workload.name)->factors)
      if (factor.quick_least > 0)
        lessen(workload.factors, std::string(factor.name), kPart, factor.quick_least, study.left_out);
    // A compile is one whole source: there can only be fewer of them.
    if (find_workload(workload.name)->has_compiler)
      lessen(workload.common, "guests", kPart, kTwo, study.left_out);
  }
}

}  // namespace

Result<> apply(const Overrides& overrides, Study& study) {
  if (overrides.repetitions) {
    if (*overrides.repetitions < 1 || *overrides.repetitions > kMostRepetitions) {
      return fail({fmt::format("cannot use --reps {}", *overrides.repetitions),
                   fmt::format("allowed: 1 to {}", kMostRepetitions), ""});
    }
    study.repetitions = *overrides.repetitions;
  }
  if (overrides.quick) make_quick(study);
  std::vector<std::string_view> seen;
  if (!overrides.machine.empty()) {
    const std::string what = fmt::format("cannot use --machine {}", printable(overrides.machine));
    if (auto set = set_machine_by(overrides.machine, what, study); !set) return set;
    seen.emplace_back("machine");
  }
  // The machine's defaults may be set after it. Workloads next: another --set may name a factor of one that
  // this adds.
  enum class Turn { machine, workloads, others };
  for (const Turn turn : {Turn::machine, Turn::workloads, Turn::others}) {
    for (const std::string& text : overrides.set) {
      const std::string what = fmt::format("cannot use --set {}", printable(text));
      const std::size_t equals = text.find('=');
      if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
        return fail({what, "it must have the form factor=value[,value]", "for example --set offloads=off"});
      }
      const std::string_view name = std::string_view(text).substr(0, equals);
      const std::string_view list = std::string_view(text).substr(equals + 1);
      const Turn its = name == "machine"    ? Turn::machine
                       : name == "workload" ? Turn::workloads
                                            : Turn::others;
      if (its != turn) continue;
      if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
        return fail({what, fmt::format("'{}' is set twice", printable(name)),
                     "give all its values at once, with commas"});
      }
      seen.push_back(name);
      auto done =
          turn == Turn::workloads ? set_workloads(list, what, study) : set_factor(name, list, what, study);
      if (!done) return done;
    }
  }
  set_host_defaults(study, overrides.quick);
  return {};
}

}  // namespace vtax
