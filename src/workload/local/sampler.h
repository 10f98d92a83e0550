#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"

namespace vtax {

inline constexpr std::uint64_t kMostSamplingHz = 20'000;

// A profiler of one operating system, as OProfile and perf are: by a timer on each CPU (perf_event's
// `cpu-clock`, which needs no hardware counter) the kernel notes who executes what, in a ring that the
// profiler's thread empties and counts by address. No sample is taken of an idle CPU, though the timer ticks
// there too. It stands here for what it costs; what it finds is counted and thrown away.
class Sampler {
 public:
  // On these CPUs, until it is destroyed. Errors: no permission (unavailable), or no such event.
  [[nodiscard]] static Result<std::unique_ptr<Sampler>> start(std::uint64_t hz, const std::vector<int>& cpus);
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;
  ~Sampler();

  [[nodiscard]] std::uint64_t samples() const { return samples_; }  // taken out of the rings so far
  [[nodiscard]] std::uint64_t lost() const { return lost_; }        // for which a ring had no room

 private:
  struct Ring;
  Sampler() = default;
  void work();

  std::vector<std::unique_ptr<Ring>> rings_;
  Descriptor stop_;
  std::thread thread_;
  std::atomic<std::uint64_t> samples_ = 0, lost_ = 0;
};

}  // namespace vtax
