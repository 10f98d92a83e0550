#include "meter/hardware_counters.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <future>
#include <iostream>
#include <thread>

#include "core/kernel_file.h"

namespace vtax::meter {
namespace {

// Few machines of a test have hardware counters. These the kernel counts itself, by the same filters: a fault
// is of the mode in which the CPU was.
std::vector<CountedEvent> fault_events() {
  return {{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, "faults"},
          {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MIN, "small_faults"}};
}

// Single pages that nobody has touched. By the calls themselves: a sanitizer that sees them touches memory of
// its own.
class FreshPages {
 public:
  explicit FreshPages(std::size_t count)
      : bytes_(count * 4096),
        at_(syscall(SYS_mmap, nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L)) {
    syscall(SYS_madvise, at_, bytes_, MADV_NOHUGEPAGE);
  }
  FreshPages(const FreshPages&) = delete;
  FreshPages& operator=(const FreshPages&) = delete;
  ~FreshPages() { syscall(SYS_munmap, at_, bytes_); }
  __attribute__((no_sanitize("address", "thread"))) void touch() {
    for (std::size_t i = 0; i < bytes_; i += 4096)
      *reinterpret_cast<volatile char*>(at_ + static_cast<long>(i)) = 1;
  }
  void let_the_kernel_touch() {
    const long zeros = syscall(SYS_openat, AT_FDCWD, "/dev/zero", O_RDONLY | O_CLOEXEC);
    EXPECT_EQ(syscall(SYS_read, zeros, at_, bytes_), static_cast<long>(bytes_));
    syscall(SYS_close, zeros);
  }

 private:
  std::size_t bytes_;
  long at_;
};

void fault(std::size_t by_program, std::size_t by_kernel) {
  FreshPages(by_program).touch();
  FreshPages(by_kernel).let_the_kernel_touch();
}

pid_t this_thread() {
  return static_cast<pid_t>(syscall(SYS_gettid));
}

// Does `work` in a thread between an attachment and a reading.
CounterReading count(const std::vector<CountedEvent>& events, const std::function<void()>& work) {
  std::promise<pid_t> here;
  std::promise<void> go;
  std::promise<void> done;
  std::promise<void> leave;
  std::thread thread([&] {
    fault(1, 1);  // the code's own pages, and the stack's
    here.set_value(this_thread());
    go.get_future().wait();
    work();
    done.set_value();
    leave.get_future().wait();
  });
  const ThreadCounters counters(events, {{here.get_future().get(), false}});
  go.set_value();
  done.get_future().wait();
  CounterReading reading = counters.read();
  leave.set_value();
  thread.join();
  return reading;
}

std::uint64_t counted(const CounterReading& reading, CpuMode mode, std::size_t event = 0) {
  std::uint64_t sum = 0;
  for (const auto& row : reading.rows)
    if (row.mode == mode) sum += row.values.at(event);
  return sum;
}

std::string refusals(const CounterReading& reading) {
  std::string all;
  for (const auto& [mode, why] : reading.not_seen) all += std::string(name(mode)) + ": " + why + "\n";
  return all;
}

// Whether this user may count the kernel at all.
bool may_count_kernel() {
  return open_counter(fault_events().front(), CpuMode::kernel, 0).has_value();
}

bool may_count() {
  return open_counter(fault_events().front(), CpuMode::user, 0).has_value();
}

// In a child, whose rights and limits are its own; what it says of itself if it failed.
void in_child(const std::function<std::string()>& test) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) {
    const std::string said = test();
    static_cast<void>(!write(ends[1], said.data(), said.size()));
    _exit(0);
  }
  close(ends[1]);
  std::string said(4096, '\0');
  const ssize_t got = read(ends[0], said.data(), said.size());
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(said.substr(0, static_cast<std::size_t>(std::max<ssize_t>(got, 0))), "");
}

TEST(ThreadCounters, TellProgramAndKernelApartExactly) {
  if (!may_count_kernel()) GTEST_SKIP() << "this user may not count the kernel";
  count(fault_events(), [] { fault(1, 1); });  // what a first time touches
  for (const auto& [by_program, by_kernel] : {std::pair(300U, 70U), {1U, 500U}, {1000U, 1U}}) {
    const auto reading = count(fault_events(), [&, p = by_program, k = by_kernel] { fault(p, k); });
    EXPECT_EQ(refusals(reading), "");
    for (const std::size_t event : {0U, 1U}) {
      EXPECT_EQ(counted(reading, CpuMode::user, event), by_program);
      EXPECT_EQ(counted(reading, CpuMode::kernel, event), by_kernel);
    }
    ASSERT_EQ(reading.rows.size(), 2U);
    for (const auto& row : reading.rows) {
      EXPECT_GT(row.enabled_ns, 0U);
      EXPECT_EQ(row.running_ns, row.enabled_ns) << "the kernel's own counters never wait";
    }
  }
}

TEST(ThreadCounters, WhatAThreadStartsCountsWithIt) {
  if (!may_count_kernel()) GTEST_SKIP() << "this user may not count the kernel";
  for (const bool process : {false, true}) {
    const auto reading = count(fault_events(), [process] {
      if (!process) {
        std::thread([] { fault(2000, 1000); }).join();
        return;
      }
      const pid_t child = fork();
      if (child == 0) {
        FreshPages(2000).touch();
        FreshPages(1000).let_the_kernel_touch();
        _exit(0);
      }
      waitpid(child, nullptr, 0);
    });
    // Starting costs some faults of its own.
    EXPECT_GE(counted(reading, CpuMode::user), 2000U) << process;
    EXPECT_LT(counted(reading, CpuMode::user), 2900U) << process;
    EXPECT_GE(counted(reading, CpuMode::kernel), 1000U) << process;
    EXPECT_LT(counted(reading, CpuMode::kernel), 1300U) << process;
  }
}

TEST(ThreadCounters, OtherThreadsAreNotCounted) {
  if (!may_count()) GTEST_SKIP() << "this user may not count";
  std::promise<void> go;
  std::promise<void> done;
  std::thread other([&] {
    go.get_future().wait();
    FreshPages(500).touch();
    done.set_value();
  });
  const auto reading = count(fault_events(), [&] {
    go.set_value();
    done.get_future().wait();
    FreshPages(5).touch();
  });
  other.join();
  EXPECT_GE(counted(reading, CpuMode::user), 5U);
  EXPECT_LT(counted(reading, CpuMode::user), 100U);
}

TEST(ThreadCounters, AThreadThatHasEndedIsNoError) {
  pid_t number = 0;
  std::thread([&] { number = this_thread(); }).join();
  const ThreadCounters counters(fault_events(), {{number, false}});
  EXPECT_TRUE(counters.read().rows.empty());
  if (may_count_kernel()) {
    EXPECT_EQ(refusals(counters.read()), "");
  }
}

std::size_t open_files() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

TEST(ThreadCounters, DescriptorsGoWithThem) {
  if (!may_count_kernel()) GTEST_SKIP() << "this user may not count the kernel";
  const std::size_t before = open_files();
  {
    ThreadCounters counters(fault_events(), {{this_thread(), false}, {this_thread(), true}});
    EXPECT_EQ(open_files(), before + 4 + 6);
    const ThreadCounters moved = std::move(counters);
    EXPECT_EQ(open_files(), before + 4 + 6);
  }
  EXPECT_EQ(open_files(), before);
}

TEST(ThreadCounters, WhatAUserMayNotCountIsSaid) {
  if (!may_count()) GTEST_SKIP() << "this user may not count";
  const auto paranoid = read_kernel_file("/proc/sys/kernel/perf_event_paranoid").value_or("");
  if (paranoid != "2") GTEST_SKIP() << "kernel.perf_event_paranoid is " << paranoid << ", not 2";
  in_child([]() -> std::string {
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return "cannot be another user";
    const ThreadCounters counters(fault_events(), {{this_thread(), false}});
    FreshPages(9).touch();
    const auto reading = counters.read();
    if (reading.rows.size() != 1 || reading.rows[0].mode != CpuMode::user)
      return "rows: " + refusals(reading);
    if (counted(reading, CpuMode::user) < 9) return "user mode is not counted";
    return refusals(reading) ==
                   "the host's kernel mode: the kernel does not allow it (kernel.perf_event_paranoid is 2)\n"
               ? ""
               : refusals(reading);
  });
}

// As a container's filter does.
TEST(ThreadCounters, AFilterOfTheCallIsARefusal) {
  for (const auto& [number, words] :
       {std::pair<std::uint32_t, std::string>(EPERM, "the kernel does not allow it"),
        {ENOSYS, "the kernel has no perf events"},
        {EBUSY, "another program has the counters"},
        {EINVAL, "no such filter"}}) {
    in_child([number = number, words = words]() -> std::string {
      sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_perf_event_open, 0, 1),
                            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | number),
                            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
      const sock_fprog filter{std::size(code), code};
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) return "no seccomp";
      const ThreadCounters counters(fault_events(), {{this_thread(), false}, {this_thread(), true}});
      const auto reading = counters.read();
      if (!reading.rows.empty()) return "there are counts";
      if (reading.not_seen.size() != 5) return "refused: " + refusals(reading);
      for (const auto& [mode, why] : reading.not_seen)
        if (why.find(words) == std::string::npos) return why;
      const auto check = examine_hardware_counters();
      if (check.programs || check.kernel || check.detail.find(words) == std::string::npos)
        return check.detail;
      return check.mend.empty() ? "no mend" : "";
    });
  }
}

TEST(ThreadCounters, AModeIsSeenOfAllThreadsOrOfNone) {
  if (!may_count_kernel()) GTEST_SKIP() << "this user may not count the kernel";
  in_child([]() -> std::string {
    // Seven more.
    int next[7];
    for (int& number : next) number = dup(STDOUT_FILENO);
    for (const int number : next) close(number);
    const rlimit limit{static_cast<rlim_t>(next[6]) + 1, static_cast<rlim_t>(next[6]) + 1};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return "cannot set a limit";
    // The second thread's kernel mode would be the 7th and 8th of them.
    const ThreadCounters counters(fault_events(), {{this_thread(), false}, {this_thread(), false}});
    const auto reading = counters.read();
    if (reading.rows.size() != 2) return "rows: " + std::to_string(reading.rows.size());
    for (const auto& row : reading.rows)
      if (row.mode != CpuMode::user) return "a part of the kernel's mode is there";
    return refusals(reading) == "the host's kernel mode: too many files are open (ulimit -n)\n"
               ? ""
               : refusals(reading);
  });
}

TEST(PerfCounter, ReadsOfAnotherSizeAreRefused) {
  for (const std::size_t bytes : {0U, 8U, 16U, 32U, 100U}) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const std::vector<char> noise(bytes, 7);
    ASSERT_EQ(write(ends[1], noise.data(), bytes), static_cast<ssize_t>(bytes));
    close(ends[1]);
    const auto value = read_counter(ends[0]);
    ASSERT_FALSE(value) << bytes;
    EXPECT_THAT(value.error().why, testing::HasSubstr("bytes and not 24"));
    close(ends[0]);
  }
  EXPECT_FALSE(read_counter(-1));
}

TEST(PerfCounter, WaitingIsMadeUpFor) {
  EXPECT_EQ(without_waiting({100, 50, 50}), 100U);
  EXPECT_EQ(without_waiting({100, 50, 25}), 200U);
  EXPECT_EQ(without_waiting({0, 0, 0}), 0U);  // a thread that did not run
  EXPECT_EQ(without_waiting({0, 50, 0}), std::nullopt);
}

std::uint64_t instructions_of(const tl::expected<Descriptor, int>& counter) {
  const auto value = read_counter(counter->get());
  EXPECT_TRUE(value);
  if (!value) return 0;
  EXPECT_EQ(value->running_ns, value->enabled_ns);
  return value->value;
}

// Runs where there are hardware counters.
TEST(HardwareCounters, ProgramAndKernelAddUp) {
  const auto check = examine_hardware_counters();
  if (!check.programs || !check.kernel) GTEST_SKIP() << check.detail;
  const CountedEvent& instructions = hardware_events().at(1);
  const auto user = open_counter(instructions, CpuMode::user, 0);
  const auto kernel = open_counter(instructions, CpuMode::kernel, 0);
  const auto both = open_counter(instructions, CpuMode::host, 0);
  ASSERT_TRUE(user && kernel && both);
  volatile std::uint64_t loop = 0;
  for (int i = 0; i < 10'000'000; ++i) loop = loop + 1;
  for (int i = 0; i < 2000; ++i) fault(2, 2);
  const std::uint64_t by_user = instructions_of(user), by_kernel = instructions_of(kernel),
                      by_both = instructions_of(both);
  EXPECT_GT(by_user, 30'000'000U);
  EXPECT_GT(by_kernel, 1'000'000U);
  EXPECT_NEAR(static_cast<double>(by_user + by_kernel), static_cast<double>(by_both),
              0.01 * static_cast<double>(by_both));
}

TEST(HardwareCounters, TheCheckSaysWhatThereIsOrWhatMendsIt) {
  const auto check = examine_hardware_counters();
  EXPECT_NE(check.detail, "");
  EXPECT_EQ(check.mend.empty(), check.programs && check.kernel);
  std::cout << "hardware counters: " << check.detail << '\n';
}

}  // namespace
}  // namespace vtax::meter
