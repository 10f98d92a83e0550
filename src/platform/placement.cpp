#include "platform/placement.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "core/kernel_file.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;

std::optional<int> whole_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<int> numbered_entries(const fs::path& directory) {
  std::vector<int> numbers;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    if (const auto number = whole_number(entry->path().filename().string())) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());  // a directory's order is nobody's promise
  return numbers;
}

}  // namespace

Result<> pin(pid_t process, int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  if (sched_setaffinity(process, sizeof set, &set) != 0) {
    return fail(system_error(fmt::format("cannot pin process {} to CPU {}", process, cpu), errno));
  }
  return {};
}

Result<std::vector<int>> interrupts_of(const std::string& device) {
  const fs::path directory = fs::path("/sys/class/net") / device / "device";
  std::vector<int> numbers = numbered_entries(directory / "msi_irqs");
  // Those of a virtio device are its transport's.
  if (numbers.empty()) numbers = numbered_entries(directory / ".." / "msi_irqs");
  if (numbers.empty()) {
    if (const auto line = read_kernel_file(directory / "irq")) {
      if (const auto number = whole_number(*line); number && *number > 0) numbers.push_back(*number);
    }
  }
  if (!numbers.empty()) return numbers;
  return fail(Error{"find the interrupts of " + device, "it has none", "", ExitCode::unavailable});
}

std::vector<int> find_interrupts(std::string_view proc_interrupts, std::string_view prefix) {
  std::vector<int> numbers;
  while (!proc_interrupts.empty()) {
    const std::size_t end = std::min(proc_interrupts.find('\n'), proc_interrupts.size());
    std::string_view line = proc_interrupts.substr(0, end);
    proc_interrupts.remove_prefix(std::min(end + 1, proc_interrupts.size()));
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const auto number = whole_number(line.substr(0, std::min(line.find(':'), line.size())));
    const std::size_t last = line.find_last_of(' ');
    if (number && last != std::string_view::npos && line.substr(last + 1).starts_with(prefix)) {
      numbers.push_back(*number);
    }
  }
  return numbers;
}

Result<std::vector<int>> interrupts_named(std::string_view prefix) {
  std::ifstream file("/proc/interrupts");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<int> numbers = find_interrupts(text, prefix);
  if (!numbers.empty()) return numbers;
  return fail(Error{fmt::format("find the interrupts named {}...", prefix), "/proc/interrupts has none", "",
                    ExitCode::unavailable});
}

Result<> pin_interrupts(const std::vector<int>& interrupts, int cpu) {
  for (const int number : interrupts) {
    const auto path = fmt::format("/proc/irq/{}/smp_affinity_list", number);
    if (Result<> written = write_kernel_file(path, std::to_string(cpu)); !written) return written;
  }
  return {};
}

std::vector<pid_t> processes_named(std::string_view prefix) {
  std::vector<pid_t> found;
  for (const int process : numbered_entries("/proc")) {
    const auto name = read_kernel_file(fmt::format("/proc/{}/comm", process));
    if (name && name->starts_with(prefix)) found.push_back(process);
  }
  return found;
}

Result<int> pin_kernel_threads(const std::vector<std::string>& prefixes, int cpu) {
  int moved = 0;
  for (const std::string& prefix : prefixes) {
    for (const pid_t process : processes_named(prefix)) {
      if (Result<> pinned = pin(process, cpu); !pinned) return fail(pinned.error());
      ++moved;
    }
  }
  return moved;
}

Result<> pin_unbound_work(int cpu) {
  return write_kernel_file("/sys/devices/virtual/workqueue/cpumask", fmt::format("{:x}", 1U << cpu));
}

}  // namespace vtax
