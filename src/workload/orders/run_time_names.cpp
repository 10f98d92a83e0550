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

#include "workload/orders/program_files.h"
#include "workload/orders/program_process.h"

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

// The last ones.
std::set<pid_t> processes_with_maps(const std::function<bool(pid_t)>& wanted) {
  std::set<pid_t> found;
  const Descriptor folder = open_program_file("/tmp", O_RDONLY | O_DIRECTORY);
  // It is the entries' own, as closedir() closes it.
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(fdopendir(fcntl(folder.get(), F_DUPFD_CLOEXEC, 0)),
                                                    closedir);
  while (entries != nullptr) {
    const dirent* entry = readdir(entries.get());
    if (entry == nullptr) break;
    const pid_t process = process_of_map(entry->d_name);
    if (process > 0 && wanted(process)) found.insert(process);
    if (found.size() > kMostMaps) found.erase(found.begin());
  }
  return found;
}

// The whole lines of a file's last `size` bytes, without their ends, from the last one to the first.
void read_backwards(int file, off_t end, off_t size, const std::function<void(std::string_view)>& see) {
  constexpr off_t kPiece = 256 << 10;
  constexpr std::size_t kMostOfLine = 4 << 10;
  std::string text;  // from somewhere in a line to that line's end, or what is unfinished
  bool is_ended = false;
  for (const off_t first = end - size; end > first;) {
    const off_t begin = std::max(first, end - kPiece);
    std::string piece(static_cast<std::size_t>(end - begin), '\0');
    if (pread(file, piece.data(), piece.size(), begin) != static_cast<ssize_t>(piece.size())) return;
    text = is_ended ? piece + text : std::move(piece);
    if (!is_ended) text.resize(text.rfind('\n') + 1);
    is_ended = !text.empty();
    end = begin;
    while (!text.empty()) {
      text.pop_back();
      const std::size_t before = text.rfind('\n');
      if (before == std::string::npos && begin > 0) break;
      see(std::string_view(text).substr(before + 1));
      text.resize(before + 1);
    }
    if (!is_ended || begin == 0) continue;
    text.resize(std::min(text.size(), kMostOfLine));
    text += '\n';
  }
}

// `room`: how much is read still.
void read_map(pid_t process, off_t& room, NewestFunctions& into) {
  const Descriptor file = open_program_file(fmt::format("/tmp/perf-{}.map", process),
                                            O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  struct stat status {};
  if (!file.valid() || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  const off_t size = std::min(status.st_size, room);
  room -= size;
  read_backwards(file.get(), status.st_size, size, [&](std::string_view line) { into.add_older(line); });
}

}  // namespace

NewestFunctions run_time_names_of(const std::function<bool(pid_t)>& wanted, std::size_t most_bytes) {
  NewestFunctions functions(most_bytes);
  off_t room = kMostRunTimeNamesRead;
  const std::set<pid_t> processes = processes_with_maps(wanted);
  for (auto process = processes.rbegin(); process != processes.rend(); ++process)
    read_map(*process, room, functions);
  return functions;
}

bool is_of_program(pid_t process, pid_t first, bool alone) {
  if (first <= 0) return false;
  return process == first || getsid(process) == first || (alone && process > first);
}

}  // namespace vtax
