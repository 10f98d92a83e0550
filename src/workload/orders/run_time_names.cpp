#include "workload/orders/run_time_names.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <set>

#include "core/run_time_functions.h"
#include "workload/orders/program_files.h"

namespace vtax {
namespace {

constexpr std::size_t kMostMaps = 64;

// The PID of "perf-PID.map"; 0: it is another name.
pid_t process_of_map(std::string_view name) {
  constexpr std::string_view kBefore = "perf-", kBehind = ".map";
  if (!name.starts_with(kBefore) || !name.ends_with(kBehind)) return 0;
  name.remove_prefix(kBefore.size());
  pid_t process = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), process);
  return error == std::errc() &&
                 std::string_view(end, static_cast<std::size_t>(name.data() + name.size() - end)) == kBehind
             ? process
             : 0;
}

std::set<pid_t> processes_with_maps() {
  std::set<pid_t> found;
  const Descriptor folder = open_program_file("/tmp", O_RDONLY | O_DIRECTORY);
  // It is the entries' own, as closedir() closes it.
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(fdopendir(fcntl(folder.get(), F_DUPFD_CLOEXEC, 0)),
                                                    closedir);
  while (entries != nullptr && found.size() < kMostMaps) {
    const dirent* entry = readdir(entries.get());
    if (entry == nullptr) break;
    if (const pid_t process = process_of_map(entry->d_name); process > 0) found.insert(process);
  }
  return found;
}

// Its whole lines, of a long one the last.
std::string end_of_map(pid_t process) {
  const Descriptor file = open_program_file(fmt::format("/tmp/perf-{}.map", process),
                                            O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  struct stat status {};
  if (!file.valid() || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  const auto size = static_cast<std::size_t>(std::max<off_t>(0, status.st_size));
  std::string text(std::min(size, kMostRunTimeBytes), '\0');
  const std::size_t left_out = size - text.size();
  const ssize_t got = pread(file.get(), text.data(), text.size(), static_cast<off_t>(left_out));
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  text.resize(text.rfind('\n') + 1);
  if (left_out > 0) text.erase(0, text.find('\n') + 1);
  return text;
}

}  // namespace

std::string run_time_names_of(const std::function<bool(pid_t)>& wanted) {
  RunTimeFunctions functions;
  for (const pid_t process : processes_with_maps())
    if (wanted(process)) read_run_time_functions(end_of_map(process), functions);
  return run_time_lines(functions, kMostRunTimeBytes);
}

}  // namespace vtax
