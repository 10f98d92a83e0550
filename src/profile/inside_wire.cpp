#include "profile/inside_wire.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/readable.h"

namespace vtax::profile {
namespace {

constexpr std::size_t kLongestProcessName = 64, kLongestReason = 500;
constexpr std::uint64_t kMostTasks = std::uint64_t{1} << 32U;
// Two ticks: what a process did is told in whole ones.
constexpr std::uint64_t kTickSlackNs = 20'000'000;

Result<watch::InsideProcess> read_process(const JsonFields& message, const nlohmann::json& row) {
  constexpr std::size_t kFields = 4;
  if (!row.is_array() || row.size() != kFields || !row[0].is_number_unsigned() || !row[1].is_string() ||
      !row[2].is_number_unsigned() || !row[3].is_number_unsigned())
    return fail(message.bad("a process is none"));
  watch::InsideProcess process;
  const auto number = row[0].get<std::uint64_t>();
  const auto& name = row[1].get_ref<const std::string&>();
  process.busy_ns = row[2].get<std::uint64_t>();
  process.threads = row[3].get<std::uint64_t>();
  constexpr std::uint64_t kMostNumber = 1U << 22U;  // PID_MAX_LIMIT of Linux
  if (number > kMostNumber || process.threads > kMostTasks || !is_text(name) ||
      name.size() > 4 * kLongestProcessName)
    return fail(message.bad("a process cannot be"));
  process.number = static_cast<int>(number);
  process.name = printable(name, kLongestProcessName);
  return process;
}

}  // namespace

nlohmann::json inside_order() {
  return {{"order", "inside"}};
}

bool is_inside_order(const JsonFields& order) {
  const auto said = order.text("order", 32);
  return said && *said == "inside";
}

nlohmann::json inside_message(const watch::InsideUse& use) {
  nlohmann::json message = {{"state", "inside"},        {"interval_ns", use.interval.count()},
                            {"runnable", use.runnable}, {"tasks", use.tasks},
                            {"steal_ns", use.steal_ns}, {"processes", nlohmann::json::array()}};
  std::uint64_t others = use.other_processes, others_ns = use.others_ns;
  for (const watch::InsideProcess& process : use.processes) {
    if (message["processes"].size() < kMostProcessesTold) {
      message["processes"].push_back({process.number, process.name, process.busy_ns, process.threads});
      continue;
    }
    ++others;
    others_ns += process.busy_ns;
  }
  message["other_processes"] = others;
  message["others_ns"] = others_ns;
  return message;
}

Result<watch::InsideUse> read_inside(const JsonFields& message, std::size_t most_cpus,
                                     std::chrono::nanoseconds most_interval) {
  const auto state = message.text("state", 32);
  if (!state) return fail(state.error());
  if (*state != "inside") {
    const auto why = message.text("why", kLongestReason);
    return fail(message.bad(why ? printable(*why, kLongestReason) : "it says what was not asked for"));
  }
  const auto most_ns = static_cast<std::uint64_t>(most_interval.count());
  const auto interval = message.number("interval_ns", 1, most_ns);
  const auto runnable = message.number("runnable", 0, kMostTasks);
  const auto tasks = message.number("tasks", 0, kMostTasks);
  const auto steal = message.number("steal_ns", 0, std::uint64_t{1} << 62U);
  const auto others = message.number("other_processes", 0, kMostTasks);
  const auto others_ns = message.number("others_ns", 0, std::uint64_t{1} << 62U);
  for (const auto* one : {&interval, &runnable, &tasks, &steal, &others, &others_ns})
    if (!*one) return fail(one->error());
  const auto processes = message.array("processes", kMostProcessesTold);
  if (!processes) return fail(processes.error());
  watch::InsideUse use;
  use.interval = std::chrono::nanoseconds(*interval);
  use.runnable = *runnable;
  use.tasks = *tasks;
  use.steal_ns = *steal;
  use.other_processes = *others;
  use.others_ns = *others_ns;
  const std::uint64_t slack = kTickSlackNs * (processes->size() + std::min<std::uint64_t>(*others, 10'000));
  const std::uint64_t most = *interval * most_cpus + slack;
  if (use.steal_ns > *interval * most_cpus + kTickSlackNs * most_cpus)
    return fail(message.bad("its CPUs waited longer than there was time"));
  std::uint64_t left = most;
  if (use.others_ns > left) return fail(message.bad("its processes did more than its CPUs can"));
  left -= use.others_ns;
  for (const nlohmann::json& row : *processes) {
    auto process = read_process(message, row);
    if (!process) return fail(process.error());
    if (process->busy_ns > left) return fail(message.bad("its processes did more than its CPUs can"));
    left -= process->busy_ns;
    use.processes.push_back(std::move(*process));
  }
  std::stable_sort(use.processes.begin(), use.processes.end(),
                   [](const auto& a, const auto& b) { return a.busy_ns > b.busy_ns; });
  return use;
}

}  // namespace vtax::profile
