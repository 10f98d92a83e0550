#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace vtax {

// How long a run still takes, learnt from what ended in it: a trial takes what the others of its kind took, a
// machine that must boot what the others' boots took. Never a promise.
class TimeLeft {
 public:
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;

  // `workers`: trials and boots that go on at once, at most.
  explicit TimeLeft(int workers) : workers_(workers) {}

  // A trial of the plan; `kind` is what its duration depends on most: the platform.
  void plan(const std::string& kind) { ++kinds_[kind].left; }
  void start(std::uint64_t trial, Clock::time_point now) { started_[trial] = now; }
  // One that never started (its machine did not boot) took no time, and teaches nothing.
  void finish(std::uint64_t trial, const std::string& kind, Clock::time_point now);
  void boots(std::size_t left, std::size_t done, std::chrono::nanoseconds spent);

  struct Estimate {
    Seconds seconds{0};
    bool counts_boots = true;  // false: machines must boot, and none has yet
  };
  // Nothing before the first trial ended.
  [[nodiscard]] std::optional<Estimate> estimate() const;

 private:
  struct Kind {
    std::size_t left = 0, done = 0;
    Seconds spent{0};
  };

  int workers_;
  std::map<std::string, Kind> kinds_;
  std::map<std::uint64_t, Clock::time_point> started_;
  std::size_t boots_left_ = 0, boots_done_ = 0;
  Seconds booting_{0};
};

// ", about 40 s left"; with the boots that are not counted; "" of nothing.
[[nodiscard]] std::string left_text(const std::optional<TimeLeft::Estimate>& estimate);

}  // namespace vtax
