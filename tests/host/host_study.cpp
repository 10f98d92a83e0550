#include "tests/host/host_study.h"

#include <unistd.h>

#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "machine/host/host_readiness.h"
#include "meter/hardware_counters.h"
#include "tests/host/traces.h"

namespace vtax {

namespace fs = std::filesystem;
using nlohmann::json;

Host::Host() {
  take_in_orphans();
  std::string pattern = (fs::temp_directory_path() / "vtax-host-test-XXXXXX").string();
  folder_ = ::mkdtemp(pattern.data());
}

void need_platform(const std::string& platform) {
  const auto check = host::examine_platform(platform_named(platform).value());
  if (check.state != lab::State::good) GTEST_SKIP() << platform << ": " << check.detail;
}

std::string Host::study(const std::string& platforms, const std::string& more) {
  const std::string once = more.find("--reps") == std::string::npos ? " --reps 1" : "";
  return "first-look --machine host --set platform=" + platforms + once + " --set workload=" + more;
}

ProgramResult Host::run(const std::string& arguments) const {
  return run_program("cd " + folder_.string() + " && " VTAX_PROGRAM " run " + arguments);
}

std::uint64_t host_time(const json& trial, const std::string& layer, const std::string& domain) {
  std::uint64_t all = 0;
  if (!trial.contains("ledger")) return all;  // it failed
  for (const json& row : trial["ledger"])
    if (row["kind"] == "cpu_ns" && (layer.empty() || row["layer"] == layer) &&
        (domain.empty() || row["domain"] == domain))
      all += row["value"].get<std::uint64_t>();
  return all;
}

namespace {

// Rows of hardware counters, or the reason why there are none.
void expect_counters(const json& trial) {
  const std::set<std::string> kinds{"cpu_ns", "hw_cycles", "hw_instructions"};
  std::map<std::string, std::uint64_t> seen;
  for (const json& row : trial["ledger"]) {
    EXPECT_TRUE(kinds.contains(row["kind"])) << row;
    seen[row["kind"]] += row["value"].get<std::uint64_t>();
  }
  const json& meter = trial["provenance"]["meter"];
  const std::string state = meter.value("hardware_counters", "");
  if (trial["factors"]["hardware_counters"] == "off") {
    EXPECT_EQ(state, "off");
    EXPECT_EQ(seen.size(), 1U);
    return;
  }
  if (!meter::examine_hardware_counters().programs) {
    EXPECT_EQ(state, "not counted: " + meter::examine_hardware_counters().detail);
    EXPECT_EQ(seen.size(), 1U);
    EXPECT_FALSE(meter.contains("hardware_counters_notes"));
    return;
  }
  EXPECT_EQ(state, "counted") << meter;
  EXPECT_GT(seen["hw_cycles"], 100'000U);
  EXPECT_GT(seen["hw_instructions"], 100'000U);
  EXPECT_GT(meter["hardware_counters_cpu_share"].get<double>(), 0.5);
}

}  // namespace

void expect_balance(const json& trial) {
  ASSERT_FALSE(trial.contains("error")) << trial["error"];
  expect_counters(trial);
  EXPECT_FALSE(trial["machine_total"].contains("instructions"));
  const auto total = trial["machine_total"]["cpu_ns"].get<std::uint64_t>();
  EXPECT_EQ(host_time(trial, ""), total);
  const auto span = trial["provenance"]["meter"]["span_ns"].get<double>();
  auto cpus = static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
  // On Xen these are Domain-0's virtual CPUs, and each guest has one.
  if (trial["provenance"].contains("xen")) cpus += static_cast<double>(trial["guests"].size());
  EXPECT_NEAR(static_cast<double>(total), span * cpus, 0.02 * span * cpus);
  EXPECT_GT(trial["window_ns"].get<std::uint64_t>(), 0U);
}

std::uint64_t sum_of(const json& column) {
  std::uint64_t sum = 0;
  for (const json& value : column) sum += value.get<std::uint64_t>();
  return sum;
}

void expect_course(const json& trial) {
  ASSERT_TRUE(trial.contains("timeline"));
  const json& timeline = trial["timeline"];
  std::set<std::pair<json, std::string>> undivided;
  using RowKey = std::tuple<json, std::string, std::string>;  // CPU, domain, layer
  std::map<RowKey, std::uint64_t> slices, window;
  for (const json& row : timeline["rows"]) {
    const bool is_both = row["layer"] == "kernel+program";
    if (is_both) undivided.emplace(row["cpu"], row["domain"]);
    slices[{row["cpu"], row["domain"], row["layer"]}] = sum_of(row["cpu_ns"]);
  }
  for (const json& row : trial["ledger"]) {
    if (row["kind"] != "cpu_ns") continue;
    const std::string layer = row["layer"];
    const bool is_own = layer == "kernel" || layer == "program" || layer == "uncharged";
    const bool is_both = is_own && undivided.contains({row["cpu"], row["domain"]}) &&
                         !slices.contains({row["cpu"], row["domain"], layer});
    window[{row["cpu"], row["domain"], is_both ? "kernel+program" : layer}] +=
        row["value"].get<std::uint64_t>();
  }
  EXPECT_EQ(slices, window);
  EXPECT_EQ(timeline["end_ns"].back(), trial["provenance"]["meter"]["span_ns"]);
}

}  // namespace vtax
