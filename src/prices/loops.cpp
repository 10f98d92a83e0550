#include "prices/loops.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <ctime>
#include <numeric>
#include <thread>
#include <vector>

namespace vtax::prices {
namespace {

double ns_now(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  constexpr double kNsOfSecond = 1e9;
  return static_cast<double>(now.tv_sec) * kNsOfSecond + static_cast<double>(now.tv_nsec);
}

// What `work` takes of this thread's CPU time, for each of `times`.
template <class Work>
double ns_each(double times, Work work) {
  const double begin = ns_now(CLOCK_THREAD_CPUTIME_ID);
  work();
  return (ns_now(CLOCK_THREAD_CPUTIME_ID) - begin) / times;
}

// All threads and processes that this one starts run on one CPU while this lives.
class OnOneCpu {
 public:
  OnOneCpu() {
    ::sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(std::max(0, ::sched_getcpu())), &one);
    is_set_ = ::sched_setaffinity(0, sizeof one, &one) == 0;
  }
  ~OnOneCpu() { ::sched_setaffinity(0, sizeof before_, &before_); }
  OnOneCpu(const OnOneCpu&) = delete;
  OnOneCpu& operator=(const OnOneCpu&) = delete;
  [[nodiscard]] bool is_set() const { return is_set_; }

 private:
  cpu_set_t before_{};
  bool is_set_ = false;
};

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  bool is_open = ::pipe(ends.data()) == 0;
  Pipe() = default;
  ~Pipe() {
    if (is_open)
      for (const int end : ends) ::close(end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  [[nodiscard]] bool send() const {
    const char byte = 'x';
    return ::write(ends[1], &byte, 1) == 1;
  }
  [[nodiscard]] bool receive() const {
    char byte = 0;
    return ::read(ends[0], &byte, 1) == 1;
  }
};

// Answers each byte with one.
void answer(const Pipe& in, const Pipe& out, int times) {
  for (int i = 0; i < times; ++i)
    if (!in.receive() || !out.send()) return;
}

// Whether all answers came.
bool ask(const Pipe& out, const Pipe& in, int times) {
  for (int i = 0; i < times; ++i)
    if (!out.send() || !in.receive()) return false;
  return true;
}

}  // namespace

std::optional<double> ns_of_instruction(bool depends) {
#if defined(__x86_64__)
  constexpr double kInLoop = 10;
  std::uint64_t rounds = 1'000'000;
  const auto times = static_cast<double>(rounds) * kInLoop;
  std::array<std::uint64_t, 2> memory{};
  std::uint64_t a = 1, b = 2, c = 3;
  return ns_each(times, [&] {
    if (depends)
      asm volatile(
          "1: add $1, %0\n lea 3(%0), %0\n xor $5, %0\n mov %0, (%4)\n mov (%4), %0\n rol $3, %0\n"
          "add $7, %0\n not %0\n dec %3\n jne 1b\n"
          : "+r"(a), "+r"(b), "+r"(c), "+r"(rounds)
          : "r"(memory.data())
          : "cc", "memory");
    else
      asm volatile(
          "1: add $1, %0\n lea 3(%4), %1\n xor $5, %2\n mov %0, (%4)\n mov 8(%4), %1\n rol $3, %2\n"
          "add $7, %0\n mov $3, %1\n dec %3\n jne 1b\n"
          : "+r"(a), "+&r"(b), "+r"(c), "+r"(rounds)
          : "r"(memory.data())
          : "cc", "memory");
  });
#else
  static_cast<void>(depends);
  return std::nullopt;
#endif
}

std::optional<double> ns_of_copied_byte(std::size_t buffer) {
  constexpr std::size_t kPiece = 16 * 1024, kAll = 64 * 1024 * 1024;
  if (buffer < kPiece) return std::nullopt;
  std::vector<char> from(buffer, 'x'), to(buffer, 'y');
  return ns_each(static_cast<double>(kAll), [&] {
    std::size_t at = 0;
    for (std::size_t done = 0; done < kAll; done += kPiece) {
      std::memcpy(to.data() + at, from.data() + at, kPiece);
      asm volatile("" : : "r"(to.data()) : "memory");
      at = at + 2 * kPiece <= buffer ? at + kPiece : 0;
    }
  });
}

std::optional<double> ns_of_system_call() {
  constexpr int kTimes = 50'000;
  return ns_each(kTimes, [] {
    for (int i = 0; i < kTimes; ++i) static_cast<void>(::syscall(SYS_getppid));
  });
}

std::optional<double> ns_of_page_fault() {
  constexpr std::size_t kPage = 4096, kPages = 2048;
  void* memory = ::mmap(nullptr, kPage * kPages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return std::nullopt;
  // One page a fault, whatever the system usually gives.
  ::madvise(memory, kPage * kPages, MADV_NOHUGEPAGE);
  auto* bytes = static_cast<volatile char*>(memory);
  const double ns = ns_each(static_cast<double>(kPages), [&] {
    for (std::size_t page = 0; page < kPages; ++page) bytes[page * kPage] = 1;
  });
  ::munmap(memory, kPage * kPages);
  return ns;
}

std::optional<double> ns_of_wake_up(bool in_another_process) {
  constexpr int kTimes = 3000;
  const OnOneCpu one;
  const Pipe there, back;
  if (!one.is_set() || !there.is_open || !back.is_open) return std::nullopt;
  // Each exchange wakes both ends once. Processes' times are added up by who waits for them.
  constexpr double kWakeUps = 2.0 * kTimes;
  if (!in_another_process) {
    const double begin = ns_now(CLOCK_PROCESS_CPUTIME_ID);
    std::thread other([&] { answer(there, back, kTimes); });
    const bool all = ask(there, back, kTimes);
    other.join();
    const double ns = (ns_now(CLOCK_PROCESS_CPUTIME_ID) - begin) / kWakeUps;
    return all ? std::optional(ns) : std::nullopt;
  }
  const pid_t child = ::fork();
  if (child < 0) return std::nullopt;
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    answer(there, back, kTimes + 1);
    ::_exit(0);
  }
  clockid_t childs{};
  const bool has_clock = ::clock_getcpuclockid(child, &childs) == 0;
  // It has begun when it has answered once.
  bool all = ask(there, back, 1);
  const double begin = ns_now(CLOCK_THREAD_CPUTIME_ID), its_begin = has_clock ? ns_now(childs) : 0;
  all = ask(there, back, kTimes - 1) && all;
  const double mine = ns_now(CLOCK_THREAD_CPUTIME_ID) - begin,
               its = has_clock ? ns_now(childs) - its_begin : 0;
  all = ask(there, back, 1) && all;
  if (!all) ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return all && has_clock ? std::optional((mine + its) / (kWakeUps - 2)) : std::nullopt;
}

std::optional<double> ns_of_load(std::size_t bytes) {
  constexpr std::size_t kLine = 64, kWords = kLine / sizeof(std::size_t);
  const std::size_t lines = bytes / kLine;
  if (lines < 2) return std::nullopt;
  // One ring through all lines (Sattolo's algorithm), by a generator whose numbers are always the same.
  std::vector<std::size_t> order(lines);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::uint64_t state = 1;
  for (std::size_t i = lines - 1; i > 0; --i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    std::swap(order[i], order[(state >> 33U) % i]);
  }
  std::vector<std::size_t> memory(lines * kWords);
  for (std::size_t i = 0; i < lines; ++i) memory[i * kWords] = order[i] * kWords;
  constexpr int kLoads = 1'000'000;
  std::size_t at = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(lines, kLoads); ++i) at = memory[at];
  return ns_each(kLoads, [&] {
    for (int i = 0; i < kLoads; ++i) at = memory[at];
    asm volatile("" : : "r"(at) : "memory");
  });
}

}  // namespace vtax::prices
