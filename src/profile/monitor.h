#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "profile/kernel_names.h"
#include "profile/process_images.h"
#include "profile/sampling.h"

namespace vtax::profile {

struct MonitorOptions {
  Event event = Event::cpu_clock;
  std::uint64_t hz = 99;     // of cpu_clock
  std::uint64_t period = 0;  // of the others, in events
  std::chrono::nanoseconds duration = std::chrono::seconds(10);
  double most_cost = 0.01;  // what sampling may take, as a share of each CPU
};

// Samples that are alike.
struct Row {
  int process = 0, thread = 0;  // 0 of another computer's
  std::string name;             // of the process
  Mode mode = Mode::user;
  bool idle = false;
  bool in_softirq = false;            // on that process's back, for whomever
  std::vector<std::uint32_t> frames;  // places in MonitorProfile::frames, the innermost first; never empty
  std::uint64_t samples = 0;
};

// What one local monitor has sampled.
struct MonitorProfile {
  Event event = Event::cpu_clock;
  std::uint64_t period = 0;  // as Settled
  std::size_t cpus = 0;
  std::chrono::nanoseconds duration{};
  std::vector<Function> frames;
  std::vector<Row> rows;
  std::uint64_t samples = 0;                     // the rows add up to it
  std::uint64_t lost = 0;                        // that the kernel took and could not hand over
  std::chrono::nanoseconds own_time{};           // CPU time of the monitor's process, meanwhile
  std::chrono::nanoseconds sample_cost{};        // measured, in the kernel, of one sample
  std::map<std::string, std::string> build_ids;  // by image
  std::vector<std::string> notes;                // what is missing or was changed; a sentence each
  std::unordered_map<int, int> parents;          // of processes that began meanwhile
};

// A period that keeps to MonitorOptions::most_cost.
struct Settled {
  std::uint64_t period = 0;  // nanoseconds, or events
  std::string note;          // what was changed and why; empty: nothing
};
// cpu_clock is lowered. Error (usage): a period of the other events that may cost more, with one that does
// not. `cpu_hertz`: the most that a CPU counts in a second.
[[nodiscard]] Result<Settled> settle(const MonitorOptions& options, std::chrono::nanoseconds sample_cost,
                                     double cpu_hertz);

// The most samples that so many CPUs can give in so long.
[[nodiscard]] std::uint64_t most_samples(Event event, std::uint64_t period, std::size_t cpus,
                                         std::chrono::nanoseconds duration);

// Samples this computer, and resolves where the samples were taken.
class Monitor {
 public:
  [[nodiscard]] static Result<Monitor> open(const MonitorOptions& options);
  [[nodiscard]] Result<> start();
  // Until MonitorOptions::duration has passed, or the process is interrupted (core/interruption.h).
  void run();
  [[nodiscard]] MonitorProfile finish();
  [[nodiscard]] std::size_t cpus() const { return sampling_.cpus(); }
  [[nodiscard]] std::uint64_t period() const { return made_.period; }

 private:
  Monitor(Sampling sampling, MonitorOptions options) : sampling_(std::move(sampling)), options_(options) {}
  void collect();
  void take(const Sample& sample);
  std::uint32_t frame(const Function& function);
  struct KernelFrame {
    std::uint32_t frame = 0;
    bool is_softirq = false;
  };
  const KernelFrame& kernel_frame(std::uint64_t address);

  Sampling sampling_;
  MonitorOptions options_;
  KernelNames kernel_;
  ProcessImages images_;
  MonitorProfile made_;
  std::map<std::pair<std::string, std::string>, std::uint32_t> frames_;
  std::unordered_map<std::uint64_t, KernelFrame> kernel_frames_;  // by address
  std::map<std::tuple<int, int, Mode, std::vector<std::uint32_t>>, std::size_t> rows_;
  std::chrono::steady_clock::time_point begun_;
  std::uint64_t throttled_ = 0;
};

}  // namespace vtax::profile
