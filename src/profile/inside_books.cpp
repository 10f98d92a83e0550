#include "profile/inside_books.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/readable.h"
#include "meter/cpu_reading.h"
#include "meter/kernel_text.h"

namespace vtax::profile {
namespace {

constexpr std::size_t kLongestComm = 64;

struct RunQueue {
  std::uint64_t runnable = 0, tasks = 0;
};

// The fourth field of /proc/loadavg: "2/345".
std::optional<RunQueue> parse_run_queue(std::string_view loadavg) {
  meter::Words words(loadavg);
  words.skip(3);
  const std::string_view field = words.next();
  const auto slash = field.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto runnable = meter::whole_number<std::uint64_t>(field.substr(0, slash)),
             tasks = meter::whole_number<std::uint64_t>(field.substr(slash + 1));
  if (!runnable || !tasks) return std::nullopt;
  return RunQueue{*runnable, *tasks};
}

}  // namespace

std::optional<InsideLine> parse_inside_line(std::string_view stat) {
  const auto begin = stat.find('('), end = stat.rfind(')');
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return std::nullopt;
  InsideLine line;
  line.name = printable(stat.substr(begin + 1, end - begin - 1), kLongestComm);
  meter::Words words(stat.substr(end + 1));
  constexpr int kBeforeUserTime = 11;
  words.skip(kBeforeUserTime);
  const auto user = meter::whole_number<std::uint64_t>(words.next()),
             system = meter::whole_number<std::uint64_t>(words.next());
  words.skip(4);  // of children, priority, nice
  const auto threads = meter::whole_number<std::uint64_t>(words.next());
  words.skip(1);
  const auto born = meter::whole_number<std::uint64_t>(words.next());
  if (!user || !system || !threads || !born) return std::nullopt;
  line.ticks = *user + *system;
  line.threads = *threads;
  line.born_ticks = *born;
  return line;
}

Result<InsideBooks> InsideBooks::open() {
  Descriptor proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!proc.valid()) return fail(system_error("cannot read /proc", errno));
  InsideBooks books(std::move(proc));
  if (auto first = books.read(); !first) return fail(first.error());
  return books;
}

Result<watch::InsideUse> InsideBooks::read() {
  const auto loadavg = meter::read_once(proc_.get(), "loadavg", buffer_);
  const auto queue = loadavg ? parse_run_queue(*loadavg) : std::nullopt;
  if (!queue)
    return fail(
        {"cannot read the run queue", "/proc/loadavg is not as Linux writes it", "", ExitCode::unavailable});
  watch::InsideUse use;
  const auto cpus = meter::read_cpu_ticks();
  if (!cpus) return fail(cpus.error());
  std::uint64_t steal = 0;
  for (const auto& [number, ticks] : *cpus) steal += ticks.steal;
  use.steal_ns = (steal - std::min(steal, std::exchange(steal_ticks_, steal))) * meter::kTickNs;
  use.runnable = queue->runnable;
  use.tasks = queue->tasks;
  std::map<std::pair<int, std::uint64_t>, std::uint64_t> now;
  for (const int number : meter::numbers_in_folder(proc_.get())) {
    const auto text = meter::read_once(proc_.get(), fmt::format("{}/stat", number).c_str(), buffer_);
    const auto line = text ? parse_inside_line(*text) : std::nullopt;
    if (!line) continue;  // it has just ended
    const std::pair key{number, line->born_ticks};
    const auto before = ticks_.find(key);
    const std::uint64_t was = before == ticks_.end() ? 0 : before->second;
    now[key] = line->ticks;
    const std::uint64_t grown = line->ticks - std::min(line->ticks, was);
    use.processes.push_back({number, line->name, grown * meter::kTickNs, line->threads});
  }
  const auto at = std::chrono::steady_clock::now();
  use.interval = at - std::exchange(at_, at);
  ticks_ = std::move(now);
  std::stable_sort(use.processes.begin(), use.processes.end(),
                   [](const auto& a, const auto& b) { return a.busy_ns > b.busy_ns; });
  return use;
}

}  // namespace vtax::profile
