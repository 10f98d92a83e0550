#include "workload/local/memory.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cerrno>
#include <cmath>
#include <limits>
#include <numeric>
#include <system_error>
#include <thread>

#include "core/interruption.h"
#include "core/readable.h"
#include "workload/local/cache_size.h"
#include "workload/local/cpu_list.h"
#include "workload/local/memory_kernels.h"
#include "workload/local/option_bounds.h"
#include "workload/measure/marker.h"

namespace vtax {
namespace {

using StreamClock = std::chrono::steady_clock;
// A round makes each element of a (2 + s) s of what it was. STREAM's 3 is beyond what a double holds after
// 260 rounds; with the square root of 2 less 1 it stays what it is.
constexpr double kStreamScalar = 0.41421356237309505;
constexpr double kStreamEpsilon = 1e-13;
constexpr std::size_t kStreamPiece = std::size_t{1} << 20;  // elements between two looks for an interruption
constexpr std::uint64_t kStreamTrials = 3;                  // of each kind of stores; the first is no trial

// One anonymous mapping, in huge pages where the kernel gives them.
class StreamArray {
 public:
  static Result<StreamArray> make(std::size_t count) {
    const std::size_t bytes = (count * sizeof(double) + kHuge - 1) / kHuge * kHuge;
    void* const place =
        mmap(nullptr, bytes + kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) {
      Error error = system_error("cannot have an array of " + readable_bytes(bytes), errno);
      error.next = "ask for a smaller --array";
      error.code = ExitCode::unavailable;
      return fail(std::move(error));
    }
    StreamArray array;
    array.place_ = place;
    array.bytes_ = bytes + kHuge;
    const auto address = (reinterpret_cast<std::uintptr_t>(place) + kHuge - 1) / kHuge * kHuge;
    array.data_ = reinterpret_cast<double*>(address);
    madvise(array.data_, bytes, MADV_HUGEPAGE);
    return array;
  }
  StreamArray() = default;
  StreamArray(StreamArray&& other) noexcept { *this = std::move(other); }
  StreamArray& operator=(StreamArray&& other) noexcept {
    std::swap(place_, other.place_);
    std::swap(bytes_, other.bytes_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~StreamArray() {
    if (place_ != nullptr) munmap(place_, bytes_);
  }
  [[nodiscard]] double* data() const { return data_; }

 private:
  static constexpr std::size_t kHuge = std::size_t{2} << 20;
  void* place_ = nullptr;
  std::size_t bytes_ = 0;
  double* data_ = nullptr;
};

struct StreamPart {
  std::size_t first = 0, count = 0;
};

class StreamRun {
 public:
  StreamRun(const MemoryOptions& options, std::size_t count)
      : options_(options), count_(count), barrier_(static_cast<std::ptrdiff_t>(options.threads)) {}

  Result<> prepare() {
    for (StreamArray* array : {&a_, &b_, &c_}) {
      auto made = StreamArray::make(count_);
      if (!made) return fail(made.error());
      *array = std::move(*made);
    }
    return {};
  }

  Result<> run() {
    std::vector<std::thread> others;
    std::atomic<bool> go = false, cancelled = false;
    for (std::uint64_t i = 1; i < options_.threads; ++i) {
      try {
        others.emplace_back([this, i, &go, &cancelled] {
          go.wait(false);
          if (!cancelled) work(i);
        });
      } catch (const std::system_error& error) {
        cancelled = true;
        go = true;
        go.notify_all();
        for (std::thread& thread : others) thread.join();
        return fail({fmt::format("cannot start thread {} of {}", i + 1, options_.threads), error.what(),
                     "ask for fewer --threads", ExitCode::unavailable});
      }
    }
    go = true;
    go.notify_all();
    work(0);
    for (std::thread& thread : others) thread.join();
    return {};
  }

  // seconds[kernel][round], of the measured rounds.
  std::array<std::vector<double>, kStreamKernels> seconds;
  std::array<double, 2> trial_seconds{};  // best round of regular and of nontemporal stores
  StreamCode code{};
  StreamClock::duration span{};
  CpuUse cpu;

  // STREAM's check: the average relative error of each array.
  [[nodiscard]] double largest_error() const {
    double a = 1, b = 2, c = 0;
    for (std::uint64_t i = 0; i < options_.rounds; ++i) {
      c = a;
      b = kStreamScalar * c;
      c = a + b;
      a = b + kStreamScalar * c;
    }
    const auto error = [&](const StreamArray& array, double expected) {
      double sum = 0;
      for (std::size_t from = 0; from < count_ && !interrupted(); from += kStreamPiece)
        for (std::size_t i = from; i < std::min(count_, from + kStreamPiece); ++i)
          sum += std::abs(array.data()[i] - expected);
      return std::abs(sum / static_cast<double>(count_) / expected);
    };
    double worst = 0;
    for (const double one : {error(a_, a), error(b_, b), error(c_, c)})
      worst = std::isnan(one) ? std::numeric_limits<double>::infinity() : std::max(worst, one);
    return worst;
  }

 private:
  [[nodiscard]] StreamPart part_of(std::uint64_t thread) const {
    const std::size_t lines = count_ / 8;
    const std::size_t from = lines * thread / options_.threads;
    const std::size_t to = lines * (thread + 1) / options_.threads;
    return {8 * from, 8 * (to - from)};
  }

  void fill(StreamPart part) {
    for (std::size_t done = 0; done < part.count && !interrupted(); done += kStreamPiece) {
      const std::size_t from = part.first + done, count = std::min(kStreamPiece, part.count - done);
      std::fill_n(a_.data() + from, count, 1.0);
      std::fill_n(b_.data() + from, count, 2.0);
      std::fill_n(c_.data() + from, count, 0.0);
    }
  }

  void kernel(const StreamCode& with, std::size_t k, StreamPart part) {
    double* const a = a_.data();
    double* const b = b_.data();
    double* const c = c_.data();
    const std::array<std::array<double*, 3>, kStreamKernels> operands{
        {{c, a, a}, {b, c, c}, {c, a, b}, {a, b, c}}};
    for (std::size_t done = 0; done < part.count && !interrupted(); done += kStreamPiece) {
      const std::size_t from = part.first + done, count = std::min(kStreamPiece, part.count - done);
      with.run[k](operands[k][0] + from, operands[k][1] + from, operands[k][2] + from, kStreamScalar, count);
    }
  }

  // One kernel by all threads: the time from the first that could begin to the last that ended.
  double timed(const StreamCode& with, std::size_t k, std::uint64_t thread, StreamPart part) {
    barrier_.arrive_and_wait();
    const auto start = StreamClock::now();
    kernel(with, k, part);
    barrier_.arrive_and_wait();
    const double took = std::chrono::duration<double>(StreamClock::now() - start).count();
    if (thread == 0) stop_ = interrupted();
    return took;
  }

  // Whether a round was left is told by thread 0 alone, so that all leave at the same barrier.
  bool stopped() {
    barrier_.arrive_and_wait();
    return stop_;
  }

  // Which was broken off.
  void leave_out_last_round() {
    for (std::vector<double>& rounds : seconds) rounds.pop_back();
  }

  void choose(std::uint64_t thread, StreamPart part) {
    const std::vector<StreamCode> codes = stream_codes();  // of the widest: the first, or the first two
    const std::size_t kinds = codes.size() > 1 ? 2 : 1;
    std::size_t chosen = options_.stores == Stores::nontemporal ? kinds - 1 : 0;
    if (options_.stores == Stores::automatic && kinds == 2) {
      std::array<double, 2> best{1e30, 1e30};
      for (std::uint64_t trial = 0; trial < kStreamTrials; ++trial) {
        for (std::size_t kind = 0; kind < kinds; ++kind) {
          double sum = 0;
          for (std::size_t k = 0; k < kStreamKernels; ++k) sum += timed(codes[kind], k, thread, part);
          if (trial > 0) best[kind] = std::min(best[kind], sum);
        }
        if (stopped()) return;
      }
      chosen = best[1] < best[0] ? 1 : 0;
      if (thread == 0) trial_seconds = best;
    }
    if (thread == 0) code = codes[chosen];
    fill(part);
    barrier_.arrive_and_wait();
  }

  [[nodiscard]] std::uint64_t bytes_a_round() const {
    return std::accumulate(kStreamArrays.begin(), kStreamArrays.end(), std::uint64_t{0}) * count_ *
           sizeof(double);
  }

  void work(std::uint64_t thread) {
    // Each stays where it first touches its part, so that the part is in that node's memory.
    const Pinned pinned(cpus_[thread % cpus_.size()]);
    const StreamPart part = part_of(thread);
    fill(part);
    choose(thread, part);
    if (stopped()) return;
    const CpuMeter meter;
    const auto start = StreamClock::now();
    const bool window = options_.window && thread == 0;
    WindowProgress progress(window ? options_.marking : Marking(), options_.rounds);
    if (window) marker::begin_window();
    for (std::uint64_t round = 0; round < options_.rounds; ++round) {
      for (std::size_t k = 0; k < kStreamKernels; ++k) {
        const double took = timed(code, k, thread, part);
        if (thread == 0) seconds[k].push_back(took);
      }
      if (stopped()) {
        if (thread == 0) leave_out_last_round();
        break;
      }
      progress.at(round + 1, (round + 1) * bytes_a_round(), 0);
    }
    if (thread != 0) return;
    if (window && !stop_) marker::end_window();
    span = StreamClock::now() - start;
    cpu = meter.since();
  }

  MemoryOptions options_;
  std::size_t count_;
  std::vector<int> cpus_ = usable_cpus();
  std::barrier<> barrier_;
  StreamArray a_, b_, c_;
  bool stop_ = false;
};

nlohmann::json stream_times(const std::vector<double>& rounds) {
  double sum = 0;
  for (std::size_t i = 1; i < rounds.size(); ++i) sum += rounds[i];
  return {{"minimum_s", *std::min_element(rounds.begin() + 1, rounds.end())},
          {"average_s", sum / static_cast<double>(rounds.size() - 1)},
          {"maximum_s", *std::max_element(rounds.begin() + 1, rounds.end())}};
}

SideReport stream_report(const StreamRun& run, std::uint64_t bytes) {
  SideReport report;
  report.side = "local";
  report.duration = run.span;
  report.cpu = run.cpu;
  std::array<double, kStreamKernels> rates{};
  for (std::size_t k = 0; k < kStreamKernels; ++k) {
    const std::uint64_t moved = kStreamArrays[k] * bytes;
    rates[k] =
        static_cast<double>(moved) / *std::min_element(run.seconds[k].begin() + 1, run.seconds[k].end());
    report.bytes += Bytes(moved * run.seconds[k].size());
    report.details["times"][std::string(kStreamNames[k])] = stream_times(run.seconds[k]);
  }
  for (const std::size_t k : {3U, 0U, 1U, 2U})
    report.metrics.push_back({std::string(kStreamNames[k]), rates[k], "B/s", true});
  report.details["instructions"] = run.code.instructions;
  report.details["stores"] = run.code.nontemporal ? "nontemporal" : "regular";
  report.details["array_bytes"] = bytes;
  if (run.trial_seconds[0] > 0)
    report.details["trial"] = {{"regular_s", run.trial_seconds[0]}, {"nontemporal_s", run.trial_seconds[1]}};
  return report;
}

}  // namespace

Result<> MemoryOptions::check() const {
  if (array_bytes != 0)
    if (Result<> good = within("--array", array_bytes, 4096, std::uint64_t{1} << 40); !good) return good;
  if (Result<> good = within("--threads", threads, 1, kMostThreads); !good) return good;
  return within("--rounds", rounds, 2, 10'000);
}

Result<SideReport> run_memory(const MemoryOptions& options) {
  if (Result<> good = options.check(); !good) return fail(good.error());
  const std::optional<std::uint64_t> caches = last_level_cache();
  const std::uint64_t wanted = 4 * caches.value_or(std::uint64_t{32} << 20);
  const std::uint64_t asked = options.array_bytes == 0 ? wanted : options.array_bytes;
  const std::size_t count = (asked + 63) / 64 * 8;  // whole cache lines
  const std::uint64_t bytes = count * sizeof(double);
  if (Result<> good = fits_in_memory("three arrays", 3 * bytes); !good) return fail(good.error());

  StreamRun run(options, count);
  if (Result<> good = run.prepare(); !good) return fail(good.error());
  if (Result<> good = run.run(); !good) return fail(good.error());
  // The first round does not count.
  if (interrupted() && (options.window || run.seconds[0].size() < 2)) return fail(interruption_error());
  const double error = interrupted() ? 0 : run.largest_error();
  const bool is_checked = !interrupted();
  if (is_checked && !(error <= kStreamEpsilon))
    return fail({"the arrays hold wrong results",
                 fmt::format("their average relative error is {:.3g}", error),
                 "this machine's memory or CPU is not to be trusted", ExitCode::trial_failed});

  SideReport report = stream_report(run, bytes);
  report.details["warnings"] = nlohmann::json::array();
  if (is_checked) report.details["largest_error"] = error;
  if (!is_checked)
    report.details["warnings"].push_back("Nobody has checked what the arrays hold: a round was broken off.");
  if (caches) report.details["last_level_cache_bytes"] = *caches;
  if (!caches)
    report.details["warnings"].push_back(
        "This machine does not tell its caches; if they hold more than a quarter of an array, these are not "
        "figures of the memory.");
  else if (bytes < wanted)
    report.details["warnings"].push_back(
        fmt::format("Arrays of {} are less than four times the last-level caches ({}): these are not figures "
                    "of the memory.",
                    readable_bytes(bytes), readable_bytes(*caches)));
  return report;
}

}  // namespace vtax
