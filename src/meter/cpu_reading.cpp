#include "meter/cpu_reading.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/kernel_file.h"

namespace vtax::meter {
namespace {

namespace fs = std::filesystem;

template <class T>
bool to_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
    if (text.empty()) return words;
    words.push_back(text.substr(0, text.find_first_of(" \n")));
    text.remove_prefix(words.back().size());
  }
}

std::vector<int> numbers_in(const fs::path& directory) {
  std::vector<int> numbers;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    int number = 0;
    if (to_number(entry->path().filename().native(), number)) numbers.push_back(number);
  }
  return numbers;
}

// Files of /proc have no size, and some have many lines.
std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// `task`: its folder in /proc. A thread that ends meanwhile is no error: it is not there.
std::optional<ThreadTime> read_thread(const fs::path& task, int process) {
  const auto run = read_kernel_file(task / "schedstat");
  const auto text = read_kernel_file(task / "stat");
  const auto stat = text ? parse_process_stat(*text) : std::nullopt;
  if (!run || !stat) return std::nullopt;
  ThreadTime time{process, stat->name, 0, stat->user_ticks, stat->system_ticks, stat->guest_ticks, stat->cpu};
  const auto words = words_of(*run);
  if (words.empty() || !to_number(words.front(), time.run_ns)) return std::nullopt;
  return time;
}

// Of all threads that it ever had; 0: it is gone.
std::uint64_t process_clock(int process) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

void add_threads(int process, CpuReading& reading) {
  const fs::path folder = fmt::format("/proc/{}", process);
  const auto own = read_kernel_file(folder / "stat");
  const auto stat = own ? parse_process_stat(*own) : std::nullopt;
  if (!stat) return;
  reading.parents[process] = stat->parent;
  std::uint64_t living_ns = 0;
  for (const int thread : numbers_in(folder / "task"))
    if (auto time = read_thread(folder / "task" / std::to_string(thread), process)) {
      living_ns += time->run_ns;
      reading.threads[thread] = *time;
    }
  const std::uint64_t all_ns = process_clock(process);
  reading.ended[process] = {all_ns > living_ns ? all_ns - living_ns : 0, stat->children_user_ticks,
                            stat->children_system_ticks};
}

// Of processes of the namespace around the sandbox: numbers below zero.
void add_outer_threads(const fs::path& outer, int process, CpuReading& reading) {
  const fs::path tasks = outer / std::to_string(process) / "task";
  for (const int thread : numbers_in(tasks))
    if (auto time = read_thread(tasks / std::to_string(thread), -process)) reading.threads[-thread] = *time;
}

ino_t number_of_namespace(const fs::path& process) {
  struct stat status {};
  return stat((process / "ns/pid").c_str(), &status) == 0 ? status.st_ino : 0;
}

// The kernel's threads that work for a QEMU of the sandbox.
void add_vhost_threads(const fs::path& outer, CpuReading& reading) {
  constexpr std::string_view kPrefix = "vhost-";
  const ino_t own = number_of_namespace("/proc/self");
  for (const int thread : numbers_in(outer)) {
    const fs::path folder = outer / std::to_string(thread);
    const auto name = read_kernel_file(folder / "comm");
    int owner = 0;
    if (!name || !name->starts_with(kPrefix) || !to_number(name->substr(kPrefix.size()), owner)) continue;
    const auto inner = parse_inner_number(text_of(outer / std::to_string(owner) / "status"));
    if (!inner || own == 0 || number_of_namespace(outer / std::to_string(owner)) != own) continue;
    if (auto time = read_thread(folder, *inner)) reading.threads[-thread] = *time;
  }
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  const std::size_t open = text.find('('), close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  ProcessStat stat{std::string(text.substr(open + 1, close - open - 1))};
  const auto words = words_of(text.substr(close + 1));
  constexpr std::size_t kParent = 1, kUser = 11, kSystem = 12, kChildrenUser = 13, kChildrenSystem = 14,
                        kCpu = 36,
                        kGuest = 40;  // proc(5), counted from the state
  if (words.size() <= kSystem || !to_number(words[kParent], stat.parent) ||
      !to_number(words[kUser], stat.user_ticks) || !to_number(words[kSystem], stat.system_ticks))
    return std::nullopt;
  if (words.size() > kChildrenSystem && (!to_number(words[kChildrenUser], stat.children_user_ticks) ||
                                         !to_number(words[kChildrenSystem], stat.children_system_ticks)))
    return std::nullopt;
  if (words.size() > kCpu && !to_number(words[kCpu], stat.cpu)) return std::nullopt;
  if (words.size() > kGuest && !to_number(words[kGuest], stat.guest_ticks)) return std::nullopt;
  return stat;
}

std::map<int, CpuTicks> parse_proc_stat(std::string_view text) {
  std::map<int, CpuTicks> cpus;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto words = words_of(line);
    int cpu = 0;
    if (words.size() < 9 || !words[0].starts_with("cpu") || !to_number(words[0].substr(3), cpu)) continue;
    CpuTicks ticks;
    std::uint64_t* const fields[] = {&ticks.user,   &ticks.nice, &ticks.system,  &ticks.idle,
                                     &ticks.iowait, &ticks.irq,  &ticks.softirq, &ticks.steal};
    bool good = true;
    for (std::size_t i = 0; i < std::size(fields); ++i) good = to_number(words[i + 1], *fields[i]) && good;
    if (good) cpus[cpu] = ticks;
  }
  return cpus;
}

std::optional<int> parse_inner_number(std::string_view status) {
  constexpr std::string_view kKey = "NSpid:";
  while (!status.empty()) {
    const std::string_view line = status.substr(0, status.find('\n'));
    status.remove_prefix(std::min(line.size() + 1, status.size()));
    if (!line.starts_with(kKey)) continue;
    const std::size_t last = line.find_last_of("\t ");
    int number = 0;
    if (last == std::string_view::npos || !to_number(line.substr(last + 1), number)) return std::nullopt;
    return number;
  }
  return std::nullopt;
}

std::map<int, OutsideThread> read_outside_threads(const fs::path& outer_proc, const OursOutside& ours) {
  std::map<int, OutsideThread> threads;
  const ino_t own = number_of_namespace("/proc/self");
  const auto is_ours = [&](const std::string& name) {
    return name.starts_with("ksoftirqd/") ||
           std::any_of(ours.kernel_threads.begin(), ours.kernel_threads.end(),
                       [&](const std::string& begin) { return name.starts_with(begin); });
  };
  for (const int process : numbers_in(outer_proc)) {
    if (ours.processes.contains(process)) continue;
    const fs::path folder = outer_proc / std::to_string(process);
    if (const ino_t theirs = number_of_namespace(folder); theirs == own || theirs == 0)
      continue;  // 0: it ended
    for (const int thread : numbers_in(folder / "task")) {
      const fs::path task = folder / "task" / std::to_string(thread);
      const auto run = read_kernel_file(task / "schedstat");
      const auto text = read_kernel_file(task / "stat");
      const auto stat = text ? parse_process_stat(*text) : std::nullopt;
      if (!run || !stat || is_ours(stat->name)) continue;
      OutsideThread time{0, stat->cpu};
      const auto words = words_of(*run);
      if (!words.empty() && to_number(words.front(), time.run_ns)) threads[thread] = time;
    }
  }
  return threads;
}

Result<std::map<int, CpuTicks>> read_cpu_ticks() {
  auto cpus = parse_proc_stat(text_of("/proc/stat"));
  if (cpus.empty())
    return fail(Error{"read the CPU time", "/proc/stat has no CPUs", "", ExitCode::unavailable});
  return cpus;
}

Result<CpuReading> read_cpu_time(const fs::path& outer_proc, const std::set<int>& outer_processes) {
  CpuReading reading;
  auto cpus = read_cpu_ticks();
  if (!cpus) return fail(cpus.error());
  reading.cpus = std::move(*cpus);
  reading.at = std::chrono::steady_clock::now();
  for (const int process : numbers_in("/proc")) add_threads(process, reading);
  if (!outer_proc.empty()) add_vhost_threads(outer_proc, reading);
  for (const int process : outer_processes) add_outer_threads(outer_proc, process, reading);
  if (reading.threads.empty())
    return fail(Error{"read the CPU time", "no thread has a schedstat in /proc",
                      "a kernel with CONFIG_SCHED_INFO has it", ExitCode::unavailable});
  return reading;
}

}  // namespace vtax::meter
