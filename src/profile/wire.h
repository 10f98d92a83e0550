#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/json_fields.h"
#include "core/result.h"
#include "profile/monitor.h"

// What `vtax agent` and `vtax profile` say to each other behind the handshake of src/workload/session:
//   -> {"order": "profile", "event", "hz", "period", "duration_ns", "most_cost_ppm"}
//   <- {"state": "ready", "cpus", "period"}          or {"state": "failed", "why"}
//   -> {"order": "go"}
//   <- {"state": "profile", "samples", "lost", "duration_ns", "own_ns", "cost_ns", "notes", "build_ids"}
//   <- {"state": "rows", "frames": [[image, function]...], "rows": [[process, mode, samples,
//   frame...]...]}...
//   <- {"state": "end"}
// Frames are counted on from one message to the next.
namespace vtax::profile {

[[nodiscard]] nlohmann::json order_message(const MonitorOptions& options);
// Error: it is none, or asks for what nobody may.
[[nodiscard]] Result<MonitorOptions> read_order(const JsonFields& message);

[[nodiscard]] std::vector<nlohmann::json> messages_of(const MonitorProfile& profile);

// Takes an agent's messages one by one. What a guest says is hostile: everything is bounded, and the samples
// by what its CPUs can give in the time (most_samples()).
class Receiving {
 public:
  struct Bounds {
    Event event = Event::cpu_clock;
    std::uint64_t period = 0;  // as the agent was told, or lower in rate
    std::size_t cpus = 0;
    std::chrono::nanoseconds duration{};  // as it was asked to sample
  };
  static constexpr std::size_t kMostRows = 200'000, kMostFrames = 100'000, kMostMessages = 1'000;

  explicit Receiving(const Bounds& bounds);
  // Whether that was the last. Error: what is said cannot be; nothing of it is to be used then.
  [[nodiscard]] Result<bool> take(const JsonFields& message);
  [[nodiscard]] MonitorProfile profile() && { return std::move(made_); }

 private:
  [[nodiscard]] Result<> take_head(const JsonFields& message);
  [[nodiscard]] Result<> take_rows(const JsonFields& message);

  Bounds bounds_;
  MonitorProfile made_;
  bool has_head_ = false;
  std::size_t messages_ = 0;
  std::uint64_t counted_ = 0;
};

}  // namespace vtax::profile
