#include "workload/orders/programs_time.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>

#include "core/kernel_file.h"

namespace vtax {
namespace {

using std::chrono::nanoseconds;

nanoseconds of_ticks(std::uint64_t ticks) {
  static const auto per_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  return nanoseconds(ticks * (1'000'000'000 / per_second));
}

}  // namespace

// proc(5), fields 14 and 16.
nanoseconds user_time_of_process(pid_t process) {
  const auto stat = read_kernel_file(std::filesystem::path("/proc") / std::to_string(process) / "stat");
  if (!stat) return {};
  constexpr int kBeforeUser = 11;  // counted from the state, which follows the name and its bracket
  std::istringstream words(stat->substr(stat->rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < kBeforeUser; ++i) words >> skipped;
  std::uint64_t user = 0, system = 0, childrens = 0;
  words >> user >> system >> childrens;
  return words ? of_ticks(user + childrens) : nanoseconds();
}

nanoseconds user_time_of_programs() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  nanoseconds sum =
      std::chrono::seconds(usage.ru_utime.tv_sec) + std::chrono::microseconds(usage.ru_utime.tv_usec);
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto process = static_cast<pid_t>(std::strtol(name.c_str(), nullptr, 10));
    if (process != getpid()) sum += user_time_of_process(process);
  }
  return sum;
}

}  // namespace vtax
