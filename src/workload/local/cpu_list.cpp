#include "workload/local/cpu_list.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "core/readable.h"

namespace vtax {
namespace {

// "3" or "2-3"; false when it is neither.
bool read_cpu_range(std::string_view text, int& first, int& last) {
  const char* const end = text.data() + text.size();
  const auto number = std::from_chars(text.data(), end, first);
  if (number.ec != std::errc() || first < 0) return false;
  last = first;
  if (number.ptr == end) return true;
  if (*number.ptr != '-') return false;
  const auto second = std::from_chars(number.ptr + 1, end, last);
  return second.ec == std::errc() && second.ptr == end && last >= first;
}

}  // namespace

std::vector<int> usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(static_cast<std::size_t>(cpu), &set)) cpus.push_back(cpu);
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

Result<std::vector<int>> read_cpu_list(std::string_view option, const std::string& text) {
  const std::vector<int> usable = usable_cpus();
  const auto wrong = [&](const std::string& why) {
    return fail({fmt::format("{} cannot be '{}'", option, printable(text)), why,
                 fmt::format("of {} are to be chosen, for example {} {}", fmt::join(usable, ", "), option,
                             usable.back())});
  };
  std::set<int> chosen;
  for (std::string_view rest = text;;) {
    const auto comma = rest.find(',');
    int first = 0, last = 0;
    if (!read_cpu_range(rest.substr(0, comma), first, last)) return wrong("it is no list of CPUs");
    if (last >= CPU_SETSIZE) return wrong(fmt::format("there is no CPU {}", last));
    for (int cpu = first; cpu <= last; ++cpu) {
      if (std::find(usable.begin(), usable.end(), cpu) == usable.end())
        return wrong(fmt::format("this process may not use CPU {}", cpu));
      if (!chosen.insert(cpu).second) return wrong(fmt::format("CPU {} is in it twice", cpu));
    }
    if (comma == std::string_view::npos) return std::vector<int>(chosen.begin(), chosen.end());
    rest.remove_prefix(comma + 1);
  }
}

Pinned::Pinned(int cpu) {
  CPU_ZERO(&before_);
  if (sched_getaffinity(0, sizeof before_, &before_) != 0) return;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(cpu), &one);
  done_ = sched_setaffinity(0, sizeof one, &one) == 0;
}

Pinned::~Pinned() {
  if (done_) sched_setaffinity(0, sizeof before_, &before_);
}

}  // namespace vtax
