#include <algorithm>
#include <chrono>

#include "core/json_fields.h"
#include "core/run_time_functions.h"
#include "profile/inside_wire.h"
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

std::vector<std::string> inside_answers() {
  watch::InsideUse use;
  use.interval = std::chrono::seconds(1);
  use.runnable = 2;
  use.tasks = 99;
  use.processes = {{7, "postgres", 600'000'000, 4}, {9, "sh", 10'000'000, 1}};
  use.other_processes = 3;
  use.others_ns = 1'000'000;
  return {profile::inside_message(use).dump()};
}

// Whatever an agent says of its inside: its processes did no more than its CPUs can.
bool try_inside_answer(std::string_view text) {
  const auto message = JsonFields::parse("an answer", text);
  if (!message) return false;
  const auto use = profile::read_inside(*message, kCpus, kDuration);
  if (!use) return false;
  require(use->interval.count() > 0 && use->interval <= kDuration, "its interval is bounded");
  require(use->processes.size() <= profile::kMostProcessesTold, "its processes are bounded");
  std::uint64_t sum = use->others_ns;
  for (const watch::InsideProcess& process : use->processes) sum += process.busy_ns;
  // Each may be told two ticks more, of unknown ones ten thousand at most.
  const std::uint64_t most = static_cast<std::uint64_t>(kDuration.count()) * kCpus +
                             20'000'000 * (profile::kMostProcessesTold + 10'000);
  require(sum <= most, "a guest does no more than its CPUs can");
  return true;
}

std::vector<std::string> code_maps() {
  return {"7f0000001000 100 LazyCompile:*first app.js:1\n7f0000001080 100 second\n"};
}

bool try_code_map(std::string_view text) {
  RunTimeFunctions functions;
  read_run_time_functions(text, functions);
  std::uint64_t end = 0;
  for (const auto& [begin, function] : functions) {
    require(begin >= end && function.end > begin, "functions do not overlap");
    end = function.end;
  }
  constexpr std::size_t kMostBytes = 4096;
  NewestFunctions newest(kMostBytes);
  for (std::string_view left = text; !left.empty();) {
    if (left.ends_with('\n')) left.remove_suffix(1);
    const std::size_t begin = left.rfind('\n') + 1;  // 0 where there is none
    newest.add_older(left.substr(begin));
    left = left.substr(0, begin);
  }
  require(newest.lines().size() <= kMostBytes, "what is handed on is bounded");
  RunTimeFunctions again;
  read_run_time_functions(newest.lines(), again);
  require(again.size() + newest.left_out() == functions.size(), "what is not handed on is counted");
  for (const auto& [begin, function] : again)
    require(functions.contains(begin) && functions[begin].end == function.end &&
                functions[begin].name == function.name,
            "it is read as it was written");
  return !functions.empty();
}

}  // namespace

std::vector<Target> targets_of_profiles() {
  return {{"agent-profile", agent_answers, try_agent_answer},
          {"agent-order", agent_orders, try_agent_order},
          {"agent-inside", inside_answers, try_inside_answer},
          {"code-map", code_maps, try_code_map}};
}

}  // namespace vtax::fuzz
