#include "cli/doctor.h"

#include <fmt/ranges.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/say.h"
#include "core/interruption.h"
#include "machine/host/host_readiness.h"
#include "machine/lab/readiness.h"
#include "meter/hardware_counters.h"

namespace vtax {
namespace {

constexpr int kDoctorSchema = 1;

using HostChecks = std::vector<host::PlatformCheck>;
using meter::CounterCheck;
using LabChecks = std::vector<lab::Check>;

// Which of the lab's platforms can run.
std::vector<std::pair<std::string_view, bool>> platforms_of(const LabChecks& checks) {
  std::vector<std::pair<std::string_view, bool>> out;
  for (const PlatformFacts& platform : kPlatformTable)
    if (platform.in_lab) out.emplace_back(platform.name, lab::ready(checks, platform.lab_machine));
  return out;
}

bool can_run(const LabChecks& checks) {
  return lab::ready(checks, PlatformId::native);
}

std::string_view state_of(const CounterCheck& counters) {
  return counters.kernel ? "good" : counters.programs ? "in part" : "missing";
}

void print_json(const LabChecks& checks, const HostChecks& platforms, const CounterCheck& counters) {
  nlohmann::json list = nlohmann::json::array();
  for (const lab::Check& check : checks)
    list.push_back({{"name", check.name},
                    {"state", name_of(check.state)},
                    {"detail", check.detail},
                    {"mend", check.mend}});
  nlohmann::json on_host = nlohmann::json::array();
  for (const host::PlatformCheck& check : platforms)
    on_host.push_back({{"name", name_of(check.platform)},
                       {"state", name_of(check.state)},
                       {"detail", check.detail},
                       {"mend", check.mend}});
  nlohmann::json lab_platforms = nlohmann::json::object();
  for (const auto& [platform, ready] : platforms_of(checks)) lab_platforms[platform] = ready;
  const nlohmann::json out = {
      {"schema", kDoctorSchema},
      {"ready", can_run(checks)},
      {"checks", list},
      {"host", on_host},
      {"hardware_counters",
       {{"state", state_of(counters)}, {"detail", counters.detail}, {"mend", counters.mend}}},
      {"platforms", lab_platforms}};
  std::cout << out.dump(2, ' ', true, nlohmann::json::error_handler_t::replace) << '\n';
}

// Without them a study on the host lacks nothing but them.
void print_counters(const CounterCheck& counters) {
  say("{:<12} {:<10} hardware counters: {}\n", "counters", state_of(counters), counters.detail);
  if (!counters.mend.empty()) say("{:<12} {:<10} -> {}\n", "", "", counters.mend);
}

void print_host(const HostChecks& platforms) {
  say("\nOn this computer itself (`vtax run STUDY --machine host`):\n");
  for (const host::PlatformCheck& check : platforms) {
    say("{:<12} {:<10} {}\n", name_of(check.platform), name_of(check.state), check.detail);
    if (!check.mend.empty()) say("{:<12} {:<10} -> {}\n", "", "", check.mend);
  }
}

void print_table(const LabChecks& checks, const HostChecks& platforms, const CounterCheck& counters) {
  for (const lab::Check& check : checks) {
    say("{:<12} {:<10} {}\n", check.name, name_of(check.state), check.detail);
    if (!check.mend.empty()) say("{:<12} {:<10} -> {}\n", "", "", check.mend);
  }
  std::vector<std::string_view> can, cannot;
  for (const auto& [platform, ready] : platforms_of(checks)) (ready ? can : cannot).push_back(platform);
  if (can.empty()) say("\nThe lab cannot run here yet.\n");
  if (!can.empty()) say("\nThe lab can measure here: {}.\n", fmt::join(can, ", "));
  if (!can.empty() && !cannot.empty()) say("It lacks parts of: {}.\n", fmt::join(cannot, ", "));
  print_host(platforms);
  print_counters(counters);
}

Verb::Action add_doctor_options(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "Print JSON instead of a table");
  return [json]() -> Result<ExitCode> {
    const auto checks = lab::examine_machine();
    const auto platforms = host::examine_platforms();
    const auto counters = meter::examine_hardware_counters();
    if (interrupted()) return fail(interruption_error());
    *json ? print_json(checks, platforms, counters) : print_table(checks, platforms, counters);
    return can_run(checks) ? ExitCode::ok : ExitCode::unavailable;
  };
}

}  // namespace

Verb doctor_verb() {
  return {"doctor", "What this machine can measure, what is missing, and how to mend it",
          "vtax doctor          (exit code 3: the lab cannot run, and the table says why)",
          add_doctor_options};
}

}  // namespace vtax
