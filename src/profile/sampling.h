#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"
#include "profile/record.h"

namespace vtax::profile {

// What decides when a CPU is sampled: its time, or what its counters count.
enum class Event { cpu_clock, cycles, instructions };
[[nodiscard]] std::string_view name(Event event);  // "cpu-clock", ...
[[nodiscard]] std::optional<Event> event_named(std::string_view text);

struct SamplingOptions {
  Event event = Event::cpu_clock;
  // Between two samples: nanoseconds of cpu_clock, else events. Above zero.
  std::uint64_t period = 10'101'010;
};

// Samples every CPU of this computer by perf_event_open(2), with the kernel's and, by frame pointers, the
// programs' stacks. All of it goes with the object, or with the process.
class Sampling {
 public:
  // Counts nothing before start(). Errors (unavailable): no right, which names perf_event_paranoid; no such
  // counter here.
  [[nodiscard]] static Result<Sampling> open(const SamplingOptions& options);
  Sampling(Sampling&&) = default;
  Sampling& operator=(Sampling&&) = delete;
  ~Sampling();

  [[nodiscard]] Result<> start();
  void stop();
  // What has come since the last time, by time; to be called several times a second.
  [[nodiscard]] std::vector<Record> drain();
  [[nodiscard]] std::size_t cpus() const { return rings_.size(); }

 private:
  struct Ring {
    Descriptor event;
    void* pages = nullptr;
    std::size_t bytes = 0;  // of the data
  };
  Sampling() = default;
  static void drain(const Ring& ring, std::vector<Record>& into);

  std::vector<Ring> rings_;
};

// What taking one sample costs the CPU that is sampled, in the kernel: measured, at least a microsecond.
// Takes about 120 ms of CPU time. Error as open().
[[nodiscard]] Result<std::chrono::nanoseconds> cost_of_a_sample();

}  // namespace vtax::profile
