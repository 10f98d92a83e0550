// Watch on this computer, with things that are really there: control groups, network namespaces, processes.

#include "watch/watch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "core/descriptor.h"
#include "core/kernel_file.h"
#include "meter/group_books.h"
#include "meter/kernel_text.h"
#include "platform/links.h"
#include "platform/namespace.h"

namespace vtax::watch {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

std::uint64_t cpu_ns(clockid_t clock) {
  timespec at{};
  clock_gettime(clock, &at);
  return static_cast<std::uint64_t>(at.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(at.tv_nsec);
}

void burn(milliseconds time) {
  const auto ns = static_cast<std::uint64_t>(std::chrono::nanoseconds(time).count());
  const std::uint64_t start = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
  while (cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - start < ns) {
  }
}

// A control group as LXC would make it; it goes with the object.
class Group {
 public:
  explicit Group(const std::string& name) {
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
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group() {
    for (int tries = 0; made() && rmdir(folder_.c_str()) != 0 && tries < 100; ++tries)
      std::this_thread::sleep_for(milliseconds(10));
  }
  [[nodiscard]] bool made() const { return !folder_.empty(); }
  [[nodiscard]] bool take(int process) const {
    return write_kernel_file(folder_ / "cgroup.procs", std::to_string(process)).has_value();
  }
  bool rename(const std::string& name) {
    const fs::path other = folder_.parent_path() / ("lxc.payload." + name);
    if (::rename(folder_.c_str(), other.c_str()) != 0) return false;
    folder_ = other;
    return true;
  }

 private:
  fs::path folder_;
};

// A process that does something until it is killed; it is, with the object.
class Child {
 public:
  explicit Child(const std::function<void()>& work, const Group* in = nullptr) {
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
    ready_ = read(ready[0], &byte, 1) == 1;
    close(ready[0]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { end(); }
  void end() {
    if (id_ <= 0) return;
    kill(id_, SIGKILL);
    int status = 0;
    waitpid(id_, &status, 0);
    id_ = 0;
  }
  [[nodiscard]] bool ready() const { return ready_; }
  [[nodiscard]] int id() const { return id_; }
  [[nodiscard]] std::uint64_t busy_ns() const {
    clockid_t clock{};
    return clock_getcpuclockid(id_, &clock) == 0 ? cpu_ns(clock) : 0;
  }

 private:
  pid_t id_ = 0;
  bool ready_ = false;
};

// Made before any child is, which has another number.
const std::string test_prefix = "vtax-test-" + std::to_string(getpid()) + "-";

std::string unique(const char* name) {
  return test_prefix + name;
}

const GuestUse* guest(const Reading& reading, const std::string& name) {
  for (const GuestUse& one : reading.guests)
    if (one.name == name) return &one;
  return nullptr;
}

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

Reading read(Watch& watch) {
  auto reading = watch.read();
  EXPECT_TRUE(reading) << (reading ? "" : reading.error().text());
  if (!reading) return {};
  expect_all_adds_up(*reading);
  return std::move(*reading);
}

// A reading of what a child did meanwhile, and what the kernel says of that: it is asked before and behind
// each look, between which the child may run on.
struct Observed {
  Reading reading;
  std::uint64_t least = 0, most = 0;
};

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

// Within 1 % of it. What the machine below takes is known in ticks alone, and not from whom: where it took
// some, half a tick of each CPU and all of it besides.
void expect_time(std::uint64_t says, const Observed& observed) {
  const double stolen = static_cast<double>(observed.reading.other.stolen_ns),
               unknown = 5e6 * get_nprocs() + stolen;
  EXPECT_GT(static_cast<double>(says), static_cast<double>(observed.least) * 0.99 - unknown);
  EXPECT_LT(static_cast<double>(says), static_cast<double>(observed.most) * 1.01 + unknown)
      << stolen << " ns were stolen";
}

TEST(Watch, ABusyLoopsTimeIsItsContainers) {
  const Group one(unique("one")), two(unique("two"));
  if (!one.made() || !two.made()) GTEST_SKIP() << "this user may make no control groups here";
  const Child busy(
      [] {
        while (true) burn(milliseconds(1000));
      },
      &one),
      quiet([] {}, &two);
  ASSERT_TRUE(busy.ready() && quiet.ready());
  auto watch = Watch::start({});
  ASSERT_TRUE(watch) << watch.error().text();
  for (int round = 0; round < 3; ++round) {
    const Observed observed = observe(*watch, busy, milliseconds(1000));
    const Reading& reading = observed.reading;
    const GuestUse *first = guest(reading, unique("one")), *second = guest(reading, unique("two"));
    ASSERT_NE(first, nullptr);
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(first->kind, GuestKind::container);
    EXPECT_EQ(first->found_by, "lxc");
    expect_time(first->own_ns + first->caused.packets_ns, observed);
    EXPECT_LT(second->own_ns, 1'000'000U);
    EXPECT_TRUE(first->switches);
    EXPECT_GT(reading.other.vtax_ns, 0U);
  }
}

// Processes that no look sees: a control group counts them.
TEST(Watch, TasksThatComeAndGoAreTheirContainers) {
  const Group one(unique("brief"));
  if (!one.made()) GTEST_SKIP() << "this user may make no control groups here";
  const Child parent(
      [] {
        while (true) {
          const pid_t child = fork();
          if (child == 0) {
            burn(milliseconds(5));
            _exit(0);
          }
          int status = 0;
          waitpid(child, &status, 0);
        }
      },
      &one);
  ASSERT_TRUE(parent.ready());
  auto watch = Watch::start({});
  ASSERT_TRUE(watch) << watch.error().text();
  static_cast<void>(read(*watch));
  std::this_thread::sleep_for(milliseconds(400));
  const Reading reading = read(*watch);
  const GuestUse* brief = guest(reading, unique("brief"));
  ASSERT_NE(brief, nullptr);
  // It waits for nothing but a CPU.
  EXPECT_GT(brief->own_ns + brief->waiting_ns.value_or(0),
            static_cast<std::uint64_t>(reading.interval.count()) / 10);
}

void send_to_oneself_over_lo() {
  if (unshare(CLONE_NEWNET) != 0) _exit(2);
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq up{};
  std::copy_n("lo", 3, up.ifr_name);
  up.ifr_flags = IFF_UP;
  if (ioctl(fd, SIOCSIFFLAGS, &up) != 0) _exit(3);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof to;
  if (bind(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&to), &size) != 0)
    _exit(4);
  char byte = 0;
  while (sendto(fd, "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 1 &&
         recv(fd, &byte, 1, 0) == 1) {
  }
  _exit(5);
}

TEST(Watch, PacketsAreTheirNetworkNamespaces) {
  const Group one(unique("sends")), two(unique("burns"));
  if (!one.made() || !two.made()) GTEST_SKIP() << "this user may make no control groups here";
  const Child sender(send_to_oneself_over_lo, &one), burner(
                                                         [] {
                                                           while (true) burn(milliseconds(1000));
                                                         },
                                                         &two);
  ASSERT_TRUE(sender.ready() && burner.ready());
  std::this_thread::sleep_for(milliseconds(50));
  auto watch = Watch::start({});
  ASSERT_TRUE(watch) << watch.error().text();
  std::this_thread::sleep_for(milliseconds(500));
  const Reading reading = read(*watch);
  if (reading.cpus.empty()) GTEST_SKIP() << reading.missing.front();
  const GuestUse *sends = guest(reading, unique("sends")), *burns = guest(reading, unique("burns"));
  ASSERT_NE(sends, nullptr);
  ASSERT_NE(burns, nullptr);
  EXPECT_GT(sends->caused.packets_ns, 1'000'000U);
  EXPECT_LT(burns->caused.packets_ns * 20, sends->caused.packets_ns);
}

void wait_for(const Descriptor& end) {
  char byte = 0;
  if (::read(end.get(), &byte, 1) != 1) _exit(20);
}

void tell(const Descriptor& end) {
  if (write(end.get(), "x", 1) != 1) _exit(21);
}

// In a network namespace of its own, which stands for the host's: what a container sends through a pair of
// devices arrives at the host's end, whose softirqs are the container's.
int watch_a_pair_of_devices(const Group& group) {
  int there[2], back[2];
  if (unshare(CLONE_NEWNET) != 0 || pipe(there) != 0 || pipe(back) != 0) return 30;
  const Descriptor there_in(there[0]), there_out(there[1]), back_in(back[0]), back_out(back[1]);
  const std::string mac = "02:00:00:00:00:01";
  const Child sender(
      [&] {
        if (unshare(CLONE_NEWNET) != 0) _exit(22);
        tell(back_out);
        wait_for(there_in);
        auto links = Links::open();
        if (!links || !links->set_up("inner") || !links->add_address("inner", "10.9.8.2", 24) ||
            !links->add_neighbour("inner", "10.9.8.1", mac))
          _exit(23);
        tell(back_out);
        const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(9);
        to.sin_addr.s_addr = htonl(0x0a090801);
        while (sendto(fd, "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 1) {
        }
        _exit(24);
      },
      &group);
  wait_for(back_in);
  auto links = Links::open();
  const auto its = namespace_of(sender.id());
  if (!links || !its || !links->add_veth("outer", "inner") || !links->set_mac("outer", mac) ||
      !links->move("inner", its->get()) || !links->set_up("outer"))
    return 31;
  tell(there_out);
  wait_for(back_in);
  std::this_thread::sleep_for(milliseconds(50));
  auto watch = Watch::start({});
  if (!watch) return 32;
  std::this_thread::sleep_for(milliseconds(500));
  const Reading reading = read(*watch);
  const GuestUse* sends = guest(reading, unique("pair"));
  if (sends == nullptr || !sends->network) return 33;
  EXPECT_GT(sends->network->sent_packets, 1000U);
  EXPECT_LT(sends->network->received_packets, 100U);
  if (!reading.cpus.empty()) {
    EXPECT_GT(sends->caused.packets_ns, sends->network->sent_packets * 100);
  }
  return ::testing::Test::HasFailure() ? 34 : 0;
}

TEST(Watch, WhatComesThroughAPairOfDevicesIsItsContainers) {
  const Group group(unique("pair"));
  if (!group.made()) GTEST_SKIP() << "this user may make no control groups here";
  const pid_t child = fork();
  if (child == 0) _exit(watch_a_pair_of_devices(group));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 30)
    GTEST_SKIP() << "this user may make no network namespace";
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Watch, GuestsComeGoAndAreRenamed) {
  auto watch = Watch::start({});
  ASSERT_TRUE(watch) << watch.error().text();
  static_cast<void>(read(*watch));
  Group group(unique("first"));
  if (!group.made()) GTEST_SKIP() << "this user may make no control groups here";
  Child child(
      [] {
        while (true) burn(milliseconds(1000));
      },
      &group);
  ASSERT_TRUE(child.ready());
  std::this_thread::sleep_for(milliseconds(100));
  Reading reading = read(*watch);
  EXPECT_EQ(std::count(reading.came.begin(), reading.came.end(), unique("first")), 1);
  // Not what it did before it was seen: half a second at most has passed.
  ASSERT_NE(guest(reading, unique("first")), nullptr);
  EXPECT_LE(guest(reading, unique("first"))->own_ns, reading.all_cpus_ns);
  if (group.rename(unique("second"))) {
    std::this_thread::sleep_for(milliseconds(100));
    // The first look finds the group gone, the second one where it is.
    static_cast<void>(read(*watch));
    std::this_thread::sleep_for(milliseconds(100));
    reading = read(*watch);
    ASSERT_NE(guest(reading, unique("second")), nullptr);
    EXPECT_EQ(guest(reading, unique("first")), nullptr);
    EXPECT_GT(guest(reading, unique("second"))->own_ns, 1'000'000U);
  }
  child.end();
  std::this_thread::sleep_for(milliseconds(50));
  reading = read(*watch);
  EXPECT_EQ(reading.guests.end(),
            std::find_if(reading.guests.begin(), reading.guests.end(),
                         [](const auto& one) { return one.name.find(unique("")) == 0; }));
  EXPECT_EQ(reading.gone.size(), 1U);
}

// A program that says it is QEMU: what Watch goes by are arguments and names of threads.
TEST(Watch, AQemuProcessIsAGuestByItsName) {
  const Child child([] {
    static const std::string name = "guest=" + unique("machine") + ",debug-threads=on";
    const char* const arguments[] = {"qemu-system-x86_64",
                                     "-c",
                                     "while :; do :; done",
                                     "-accel",
                                     "tcg",
                                     "-name",
                                     name.c_str(),
                                     "-m",
                                     "64",
                                     nullptr};
    execv("/bin/sh", const_cast<char* const*>(arguments));
    _exit(1);
  });
  ASSERT_TRUE(child.ready());
  std::this_thread::sleep_for(milliseconds(100));
  auto watch = Watch::start({});
  ASSERT_TRUE(watch) << watch.error().text();
  const Observed observed = observe(*watch, child, milliseconds(1000));
  const Reading& reading = observed.reading;
  const GuestUse* machine = guest(reading, unique("machine"));
  ASSERT_NE(machine, nullptr);
  EXPECT_EQ(machine->kind, GuestKind::qemu);
  EXPECT_EQ(machine->id, std::to_string(child.id()));
  EXPECT_EQ(machine->memory.given_bytes, std::uint64_t{64} << 20);
  EXPECT_GT(machine->memory.used_bytes.value_or(0), 4096U);
  expect_time(machine->own_ns, observed);
}

// A guest that is busy, as a process that says it is QEMU. The name lives on in the child.
std::function<void()> busy_machine(const std::string& name) {
  return [name] {
    const char* const arguments[] = {"qemu-system-x86_64", "-c",   "while :; do :; done", "-name",
                                     name.c_str(),         nullptr};
    execv("/bin/sh", const_cast<char* const*>(arguments));
    _exit(1);
  };
}

TEST(Watch, AGuestThatIsStoppedAndGoesOnIsPausedMeanwhile) {
  const Child child(busy_machine(unique("stopped")));
  ASSERT_TRUE(child.ready());
  std::this_thread::sleep_for(milliseconds(100));
  kill(child.id(), SIGSTOP);
  auto watch = Watch::start({});
  ASSERT_TRUE(watch) << watch.error().text();
  for (const bool stopped : {true, false, true}) {
    kill(child.id(), stopped ? SIGSTOP : SIGCONT);
    static_cast<void>(read(*watch));
    std::this_thread::sleep_for(milliseconds(stopped ? 50 : 300));
    const Reading reading = read(*watch);
    const GuestUse* machine = guest(reading, unique("stopped"));
    ASSERT_NE(machine, nullptr);
    EXPECT_EQ(machine->paused, stopped);
    if (stopped)
      EXPECT_LT(machine->own_ns, 1'000'000U);
    else
      EXPECT_GT(machine->own_ns + machine->waiting_ns.value_or(0), 100'000'000U);
    EXPECT_TRUE(reading.came.empty());
    EXPECT_TRUE(reading.gone.empty());
  }
}

// What a migration within one computer, or there and back, looks like: the same name, another process. It has
// its own time alone, and nothing of the first one's.
TEST(Watch, AMigratedGuestBeginsAnewUnderItsName) {
  auto first = std::make_unique<Child>(busy_machine(unique("migrated")));
  ASSERT_TRUE(first->ready());
  std::this_thread::sleep_for(milliseconds(300));
  auto watch = Watch::start({});
  ASSERT_TRUE(watch) << watch.error().text();
  static_cast<void>(read(*watch));
  first.reset();
  const Child second(busy_machine(unique("migrated")));
  ASSERT_TRUE(second.ready());
  std::this_thread::sleep_for(milliseconds(100));
  const Reading reading = read(*watch);
  const GuestUse* machine = guest(reading, unique("migrated"));
  ASSERT_NE(machine, nullptr);
  EXPECT_EQ(machine->id, std::to_string(second.id()));
  EXPECT_TRUE(reading.came.empty());
  EXPECT_TRUE(reading.gone.empty());
  ASSERT_TRUE(machine->busy_so_far_ns);
  EXPECT_LT(machine->own_ns, static_cast<std::uint64_t>(reading.interval.count()) * 101 / 100);
  EXPECT_LT(*machine->busy_so_far_ns, static_cast<std::uint64_t>(reading.interval.count()) * 101 / 100);
}

// What an ordinary user sees: it adds up, too, and says what is missing.
TEST(Watch, WithoutRootItSaysWhatIsMissing) {
  if (geteuid() != 0) GTEST_SKIP() << "this user is none other than root";
  const Child busy(busy_machine(unique("seen")));
  ASSERT_TRUE(busy.ready());
  std::this_thread::sleep_for(milliseconds(100));
  const pid_t child = fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (setgid(kNobody) != 0 || setuid(kNobody) != 0) _exit(10);
    auto watch = Watch::start({});
    if (!watch) _exit(11);
    const Observed observed = observe(*watch, busy, milliseconds(1000));
    const GuestUse* seen = guest(observed.reading, unique("seen"));
    if (seen == nullptr) _exit(12);
    expect_time(seen->own_ns, observed);
    if (!observed.reading.cpus.empty()) _exit(13);
    if (observed.reading.missing.size() < 2) _exit(14);
    _exit(::testing::Test::HasFailure() ? 17 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

std::uint64_t resident_bytes() {
  std::string text;
  const auto all = meter::read_once(AT_FDCWD, "/proc/self/statm", text);
  meter::Words words(all.value_or(""));
  words.skip(1);
  return meter::whole_number<std::uint64_t>(words.next()).value_or(0) *
         static_cast<std::uint64_t>(getpagesize());
}

TEST(Watch, ManyReadingsTakeNoMoreMemory) {
  auto watch = Watch::start({});
  ASSERT_TRUE(watch) << watch.error().text();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(watch->read());
  const std::uint64_t before = resident_bytes();
  for (int i = 0; i < 400; ++i) ASSERT_TRUE(watch->read());
  EXPECT_LT(resident_bytes(), before + (1U << 20));
}

}  // namespace
}  // namespace vtax::watch
