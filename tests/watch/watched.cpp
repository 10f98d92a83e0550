#include "tests/watch/watched.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>
#include <thread>

#include "core/kernel_file.h"
#include "meter/group_books.h"

namespace vtax::watch {
namespace {

namespace fs = std::filesystem;

std::uint64_t cpu_ns(clockid_t clock) {
  timespec at{};
  clock_gettime(clock, &at);
  return static_cast<std::uint64_t>(at.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(at.tv_nsec);
}

// Made before any child is, which has another number.
const std::string test_prefix = "vtax-test-" + std::to_string(getpid()) + "-";

void expect_all_adds_up(const Reading& reading) {
  std::uint64_t sum = reading.other.total();
  std::set<std::string> names;
  for (const GuestUse& one : reading.guests) {
    sum += one.own_ns + one.caused.total();
    EXPECT_TRUE(names.insert(one.name).second) << one.name << " is there twice";
    std::uint64_t of_cpus = 0;
    for (const VirtualCpuUse& cpu : one.virtual_cpus) of_cpus += cpu.own_ns;
    EXPECT_LE(of_cpus, one.own_ns);
  }
  EXPECT_EQ(sum, reading.all_cpus_ns);
  const auto span = static_cast<double>(reading.interval.count()) * get_nprocs();
  EXPECT_NEAR(static_cast<double>(reading.all_cpus_ns), span, span * 0.05 + 2e6);
  if (reading.cpus.empty()) return;
  std::uint64_t by_cpu = 0;
  for (const CpuUse& cpu : reading.cpus) by_cpu += cpu.guests_ns + cpu.caused_ns + cpu.other.total();
  EXPECT_EQ(by_cpu, reading.all_cpus_ns);
}

}  // namespace

void burn(milliseconds time) {
  const auto ns = static_cast<std::uint64_t>(std::chrono::nanoseconds(time).count());
  const std::uint64_t start = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
  while (cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - start < ns) {
  }
}

Group::Group(const std::string& name) {
  const auto mounts = meter::read_group_mounts();
  for (const char* controller : {"cpuacct", ""}) {
    const auto mount = mounts.find(controller);
    if (mount == mounts.end()) continue;
    folder_ = fs::path(mount->second) / ("lxc.payload." + name);
    std::error_code error;
    if (fs::create_directory(folder_, error)) return;
  }
  folder_.clear();
}

Group::~Group() {
  for (int tries = 0; made() && rmdir(folder_.c_str()) != 0 && tries < 100; ++tries)
    std::this_thread::sleep_for(milliseconds(10));
}

bool Group::take(int process) const {
  return write_kernel_file(folder_ / "cgroup.procs", std::to_string(process)).has_value();
}

bool Group::rename(const std::string& name) {
  const fs::path other = folder_.parent_path() / ("lxc.payload." + name);
  if (::rename(folder_.c_str(), other.c_str()) != 0) return false;
  folder_ = other;
  return true;
}

Child::Child(const std::function<void()>& work, const Group* in) {
  int ready[2];
  if (pipe(ready) != 0) return;
  id_ = fork();
  if (id_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (in != nullptr && !in->take(getpid())) _exit(1);
    if (write(ready[1], "x", 1) != 1) _exit(1);
    work();
    while (true) pause();
  }
  close(ready[1]);
  char byte = 0;
  ready_ = ::read(ready[0], &byte, 1) == 1;
  close(ready[0]);
}

void Child::end() {
  if (id_ <= 0) return;
  kill(id_, SIGKILL);
  int status = 0;
  waitpid(id_, &status, 0);
  id_ = 0;
}

std::uint64_t Child::busy_ns() const {
  clockid_t clock{};
  return clock_getcpuclockid(id_, &clock) == 0 ? cpu_ns(clock) : 0;
}

std::function<void()> busy_machine(const std::string& name) {
  return [name] {
    const char* const arguments[] = {"qemu-system-x86_64", "-c",   "while :; do :; done", "-name",
                                     name.c_str(),         nullptr};
    execv("/bin/sh", const_cast<char* const*>(arguments));
    _exit(1);
  };
}

std::string unique(const char* name) {
  return test_prefix + name;
}

bool is_among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

const GuestUse* guest(const Reading& reading, const std::string& name) {
  for (const GuestUse& one : reading.guests)
    if (one.name == name) return &one;
  return nullptr;
}

Reading read(Watch& watch) {
  auto reading = watch.read();
  EXPECT_TRUE(reading) << (reading ? "" : reading.error().text());
  if (!reading) return {};
  expect_all_adds_up(*reading);
  return std::move(*reading);
}

Observed observe(Watch& watch, const Child& child, milliseconds time) {
  const std::uint64_t before_first = child.busy_ns();
  static_cast<void>(read(watch));
  const std::uint64_t behind_first = child.busy_ns();
  std::this_thread::sleep_for(time);
  const std::uint64_t before_second = child.busy_ns();
  Observed out;
  out.reading = read(watch);
  out.least = before_second - behind_first;
  out.most = child.busy_ns() - before_first;
  return out;
}

void expect_time(std::uint64_t says, const Observed& observed) {
  const double stolen = static_cast<double>(observed.reading.other.stolen_ns),
               unknown = 5e6 * get_nprocs() + stolen;
  EXPECT_GT(static_cast<double>(says), static_cast<double>(observed.least) * 0.99 - unknown);
  EXPECT_LT(static_cast<double>(says), static_cast<double>(observed.most) * 1.01 + unknown)
      << stolen << " ns were stolen";
}

}  // namespace vtax::watch
