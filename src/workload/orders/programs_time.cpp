#include "workload/orders/programs_time.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

namespace vtax {
namespace {

using std::chrono::nanoseconds;

nanoseconds of_ticks(std::uint64_t ticks) {
  static const auto per_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  return nanoseconds(ticks * (1'000'000'000 / per_second));
}

}  // namespace

ProgramsTime programs_time_in(std::string_view line, nanoseconds own) {
  std::istringstream words{std::string(line)};
  std::string name;
  std::uint64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0;
  words >> name >> user >> nice >> system >> idle >> iowait >> irq >> softirq;
  if (!words || name != "cpu") return {};
  return {of_ticks(user + nice), own, of_ticks(system + irq + softirq)};
}

ProgramsShare programs_share(const ProgramsTime& before, const ProgramsTime& after) {
  const nanoseconds none{0};
  return {std::max(none, after.user - before.user - std::max(none, after.own - before.own)),
          std::max(none, after.kernel - before.kernel)};
}

ProgramsTime programs_time() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::ifstream in("/proc/stat");
  std::string line;
  std::getline(in, line);
  return programs_time_in(
      line, std::chrono::seconds(usage.ru_utime.tv_sec) + std::chrono::microseconds(usage.ru_utime.tv_usec));
}

}  // namespace vtax
