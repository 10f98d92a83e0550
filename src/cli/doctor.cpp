#include "cli/doctor.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "machine/host/host_readiness.h"
#include "machine/lab/readiness.h"

namespace vtax {
namespace {

constexpr int doctor_schema = 1;

using HostChecks = std::vector<host::PlatformCheck>;

void print_json(const std::vector<lab::Check>& checks, const HostChecks& platforms) {
  nlohmann::json list = nlohmann::json::array();
  for (const lab::Check& check : checks)
    list.push_back({{"name", check.name},
                    {"state", name_of(check.state)},
                    {"detail", check.detail},
                    {"mend", check.mend}});
  nlohmann::json on_host = nlohmann::json::array();
  for (const host::PlatformCheck& check : platforms)
    on_host.push_back({{"name", check.platform},
                       {"state", name_of(check.state)},
                       {"detail", check.detail},
                       {"mend", check.mend}});
  const bool ready = lab::ready(checks);
  const nlohmann::json out = {{"schema", doctor_schema},
                              {"ready", ready},
                              {"checks", list},
                              {"host", on_host},
                              {"platforms",
                               {{"native", ready},
                                {"container", ready},
                                {"xen-pv", ready},
                                {"xen-pvh", ready},
                                {"xen-hvm", ready},
                                {"xen-hvm-pv", ready},
                                {"kvm", ready},
                                {"kvm-qemu", ready}}}};
  fmt::print("{}\n", out.dump(2));
}

void print_host(const HostChecks& platforms) {
  fmt::print("\nOn this computer itself (`vtax run STUDY --machine host`):\n");
  for (const host::PlatformCheck& check : platforms) {
    fmt::print("{:<10} {:<10} {}\n", check.platform, name_of(check.state), check.detail);
    if (!check.mend.empty()) fmt::print("{:<10} {:<10} -> {}\n", "", "", check.mend);
  }
}

void print_table(const std::vector<lab::Check>& checks, const HostChecks& platforms) {
  for (const lab::Check& check : checks) {
    fmt::print("{:<8} {:<10} {}\n", check.name, name_of(check.state), check.detail);
    if (!check.mend.empty()) fmt::print("{:<8} {:<10} -> {}\n", "", "", check.mend);
  }
  fmt::print("\n{}\n", lab::ready(checks) ? "The lab can measure here: native, container, xen-pv, xen-pvh, "
                                            "xen-hvm, xen-hvm-pv, kvm, kvm-qemu."
                                          : "The lab cannot run here yet.");
  print_host(platforms);
}

Verb::Action add_doctor_options(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "Print JSON instead of a table");
  return [json]() -> Result<ExitCode> {
    const auto checks = lab::examine_machine();
    const auto platforms = host::examine_platforms();
    *json ? print_json(checks, platforms) : print_table(checks, platforms);
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
