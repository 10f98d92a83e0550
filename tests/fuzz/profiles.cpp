#include <algorithm>
#include <chrono>

#include "core/json_fields.h"
#include "profile/wire.h"
#include "tests/fuzz/targets.h"

namespace vtax::fuzz {
namespace {

constexpr std::uint64_t kPeriod = 10'000'000;
constexpr std::size_t kCpus = 2;
constexpr std::chrono::seconds kDuration{10};

std::vector<std::string> agent_answers() {
  profile::MonitorProfile made;
  made.period = kPeriod;
  made.duration = kDuration;
  made.frames = {{"vmlinux", "do_work"}, {"web", "main"}};
  made.rows = {{1, 1, "web", profile::Mode::kernel, false, true, {0, 1}, 30},
               {0, 0, "idle", profile::Mode::kernel, true, false, {0}, 12}};
  made.samples = 42;
  made.build_ids = {{"web", "00ff"}};
  std::string text;
  for (const auto& message : profile::messages_of(made)) text += message.dump() + '\n';
  return {text};
}

// Whatever an agent says: what is taken keeps to its CPUs, and its rows are what they add up to.
bool try_agent_answer(std::string_view text) {
  profile::Receiving receiving({profile::Event::cpu_clock, kPeriod, kCpus, kDuration});
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto message = JsonFields::parse("an answer", line);
    if (!message) return false;
    const auto last = receiving.take(*message);
    if (!last) return false;
    if (!*last) continue;
    const auto made = std::move(receiving).profile();
    std::uint64_t sum = 0;
    for (const profile::Row& row : made.rows) {
      require(!row.frames.empty(), "a row has a frame");
      for (const std::uint32_t frame : row.frames) require(frame < made.frames.size(), "a frame is there");
      sum += row.samples;
    }
    require(sum == made.samples, "rows add up to the samples");
    require(sum <= profile::most_samples(profile::Event::cpu_clock, kPeriod, kCpus, kDuration),
            "a guest has no more samples than its CPUs can give");
    return true;
  }
  return false;
}

std::vector<std::string> agent_orders() {
  return {profile::order_message({}).dump()};
}

bool try_agent_order(std::string_view text) {
  const auto message = JsonFields::parse("an order", text);
  if (!message) return false;
  const auto order = profile::read_order(*message);
  if (!order) return false;
  require(order->hz >= 1 && order->hz <= 100'000, "an order's rate is bounded");
  require(order->duration.count() > 0 && order->duration <= std::chrono::hours(24), "its time is bounded");
  return true;
}

}  // namespace

std::vector<Target> targets_of_profiles() {
  return {{"agent-profile", agent_answers, try_agent_answer}, {"agent-order", agent_orders, try_agent_order}};
}

}  // namespace vtax::fuzz
