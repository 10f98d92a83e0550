#include "tests/host/program_study.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "machine/host/host_readiness.h"
#include "machine/parts/package_cache.h"
#include "tests/host/host_study.h"
#include "tests/host/traces.h"
#include "tests/program.h"

namespace vtax {

namespace fs = std::filesystem;
using nlohmann::json;

void HostProgram::SetUp() {
  take_in_orphans();
  if (const auto programs = host::examine_programs(); !programs) GTEST_SKIP() << programs.error().text();
  std::string pattern = (fs::temp_directory_path() / "vtax-host-program-XXXXXX").string();
  folder_ = ::mkdtemp(pattern.data());
  fs::permissions(folder_, fs::perms::all);
  const auto needed = run_program("ldd $(command -v dash) | grep -o '/[^ ]*'; command -v dash");
  std::istringstream files(needed.out);
  for (std::string file; files >> file;) {
    const fs::path copy = folder_ / "shell" / fs::path(file).relative_path();
    fs::create_directories(copy.parent_path());
    fs::copy_file(file, copy);
  }
  if (!fs::exists(folder_ / "shell")) GTEST_SKIP() << "there is no dash";
  before_ = traces();
}

void HostProgram::TearDown() {
  if (folder_.empty()) return;
  EXPECT_THAT(left_behind(before_), testing::IsEmpty());
  fs::remove_all(folder_);
}

void HostProgram::need_busybox() {
  constexpr const char* kPackage = "busybox-static";
  const auto cache = lab::PackageCache::open();
  if (!cache || !cache->find(lab::wanted_programs(kPackage).name))
    GTEST_SKIP() << kPackage << " is not in the cache: `vtax run` of a study that names it fetches it";
}

void HostProgram::write_study(const std::string& texts, const std::string& platforms) const {
  std::ofstream(folder_ / "program.toml")
      << "name = \"program\"\nmachine = \"host\"\nrepetitions = 1\n[factors]\nplatform = [" << platforms
      << "]\noffloads = \"on\"\n[[workload]]\nname = \"program\"\nwarmup = \"off\"\n"
      << texts;
}

void HostProgram::write_client(const std::string& script, const std::string& more,
                               const std::string& platforms) const {
  write_study("files = \"./shell\"\nclient = '''dash -c '" + script + "' '''\n" + more, platforms);
}

json HostProgram::trials(const std::string& prefix, const std::string& options) const {
  const auto result =
      run_program("cd " + folder_.string() + " && rm -f program*.vtax && HOME=" + folder_.string() + " " +
                  prefix + VTAX_PROGRAM " run program.toml --json " + options);
  const json out = json::parse(result.out, nullptr, false);
  EXPECT_FALSE(out.is_discarded()) << result.err;
  return out.is_discarded() ? json::array() : out["trials"];
}

json HostProgram::trials_of(const std::string& script, const std::string& more,
                            const std::string& options) const {
  write_client(script, more, "\"native\", \"container\"");
  return trials("", options);
}

json HostProgram::trial(const std::string& prefix) const {
  const json all = trials(prefix);
  EXPECT_EQ(all.size(), 1U);
  return all.empty() ? json::object() : all[0];
}

std::string HostProgram::output_of(const std::string& script, const std::string& more,
                                   const std::string& prefix) const {
  write_client(script, more);
  const json one = trial(prefix);
  EXPECT_FALSE(one.contains("error")) << one.value("error", "");
  return one.contains("provenance") ? one["provenance"].value("client_output", "") : "";
}

std::string HostProgram::error_of(const std::string& script, const std::string& more,
                                  const std::string& prefix) const {
  write_client(script, more);
  return trial(prefix).value("error", "");
}

namespace {

using TimeOf = std::map<std::string, double>;  // ns, by platform

// The least of all trials so far: what else goes on here makes a program's time longer, never shorter.
void take_least_program_time(const json& trials, TimeOf& least) {
  for (const json& one : trials) {
    ASSERT_FALSE(one.contains("error")) << one["error"];
    const auto time = static_cast<double>(host_time(one, "program"));
    EXPECT_LE(time, one.value("window_ns", 0.0) * 1.1 * one["work"].value("transactions", 1));
    const auto [place, is_new] = least.emplace(one["factors"]["platform"].get<std::string>(), time);
    if (!is_new) place->second = std::min(place->second, time);
  }
}

}  // namespace

void expect_times(const Bounds& times, const std::function<json()>& first,
                  const std::function<json()>& second) {
  TimeOf one, other;
  const auto holds = [&] {
    return !one.empty() && one.size() == other.size() && std::ranges::all_of(one, [&](const auto& of) {
      return other[of.first] > times.low * of.second && other[of.first] < times.high * of.second;
    });
  };
  for (int round = 0; round < 5 && !holds() && !testing::Test::HasFailure(); ++round) {
    take_least_program_time(first(), one);
    take_least_program_time(second(), other);
  }
  EXPECT_TRUE(holds()) << testing::PrintToString(one) << " and " << testing::PrintToString(other);
  for (const auto& [platform, time] : one) EXPECT_GT(time, 20e6) << platform;
}

}  // namespace vtax
