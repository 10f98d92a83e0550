#include "cli/doctor.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "machine/lab/readiness.h"

namespace vtax {
namespace {

constexpr int doctor_schema = 1;

void print_json(const std::vector<lab::Check>& checks) {
  nlohmann::json list = nlohmann::json::array();
  for (const lab::Check& check : checks)
    list.push_back({{"name", check.name},
                    {"state", name_of(check.state)},
                    {"detail", check.detail},
                    {"mend", check.mend}});
  const bool ready = lab::ready(checks);
  const nlohmann::json out = {
      {"schema", doctor_schema},
      {"ready", ready},
      {"checks", list},
      {"platforms", {{"native", ready}, {"container", ready}, {"xen-pv", ready}, {"xen-pvh", ready}, {"kvm", ready}, {"kvm-qemu", ready}}}};
  fmt::print("{}\n", out.dump(2));
}

void print_table(const std::vector<lab::Check>& checks) {
  for (const lab::Check& check : checks) {
    fmt::print("{:<8} {:<10} {}\n", check.name, name_of(check.state), check.detail);
    if (!check.mend.empty()) fmt::print("{:<8} {:<10} -> {}\n", "", "", check.mend);
  }
  fmt::print("\n{}\n", lab::ready(checks) ? "The lab can measure here: native, container, xen-pv, xen-pvh, kvm, kvm-qemu."
                                          : "The lab cannot run here yet.");
}

Verb::Action add_doctor_options(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "Print JSON instead of a table");
  return [json]() -> Result<ExitCode> {
    const auto checks = lab::examine_machine();
    *json ? print_json(checks) : print_table(checks);
    return lab::ready(checks) ? ExitCode::ok : ExitCode::unavailable;
  };
}

}  // namespace

Verb doctor_verb() {
  return {"doctor", "What this machine can measure, what is missing, and how to mend it",
          "vtax doctor          (exit code 3: the lab cannot run, and the table says why)",
          add_doctor_options};
}

}  // namespace vtax
