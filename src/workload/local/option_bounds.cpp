#include "workload/local/option_bounds.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "core/readable.h"

namespace vtax {
namespace {

std::string readable_duration(std::chrono::nanoseconds time) {
  const double seconds = std::chrono::duration<double>(time).count();
  if (seconds >= 1) return readable(seconds) + "s";
  if (seconds >= 1e-3) return readable(seconds * 1e3) + "ms";
  return readable(seconds * 1e6) + "us";
}

}  // namespace

Result<> within(std::string_view option, std::uint64_t value, std::uint64_t least, std::uint64_t most) {
  if (value >= least && value <= most) return {};
  return fail({fmt::format("{} cannot be {}", option, value),
               value < least ? "it is too little" : "it is too much",
               fmt::format("from {} to {} is possible", least, most)});
}

Result<> within(std::string_view option, std::chrono::nanoseconds value, std::chrono::nanoseconds least,
                std::chrono::nanoseconds most) {
  if (value >= least && value <= most) return {};
  return fail({fmt::format("{} cannot be {} ns", option, value.count()),
               value < least ? "it is too short" : "it is too long",
               fmt::format("from {} to {} is possible", readable_duration(least), readable_duration(most))});
}

Result<> fits_in_memory(std::string_view what, std::uint64_t bytes) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/proc/meminfo", "re"), std::fclose);
  if (!file) return {};
  char line[256];
  unsigned long long kilobytes = 0;
  while (std::fgets(line, sizeof line, file.get()) != nullptr) {
    if (std::sscanf(line, "MemAvailable: %llu kB", &kilobytes) != 1) continue;
    if (bytes / 1024 <= kilobytes) return {};
    return fail({fmt::format("{} need {}", what, readable_bytes(bytes)),
                 fmt::format("only {} are available here", readable_bytes(kilobytes * 1024)),
                 "ask for less, or end what uses the memory", ExitCode::unavailable});
  }
  return {};
}

}  // namespace vtax
