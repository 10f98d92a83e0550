#include "profile/run_time_code.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "core/descriptor.h"
#include "core/files.h"

namespace vtax::profile {
namespace {

constexpr std::uint64_t kLargestMap = std::uint64_t{64} << 20;

// Its number where it was started: a container's processes have numbers of their own.
std::string own_number(int process) {
  std::string number = std::to_string(process);
  const auto status = read_text(fmt::format("/proc/{}/status", process), 65536);
  if (!status) return number;
  constexpr std::string_view kField = "\nNSpid:";
  const auto at = status->find(kField);
  if (at == std::string::npos) return number;
  const std::string line =
      status->substr(at + kField.size(), status->find('\n', at + 1) - at - kField.size());
  const auto last = line.find_last_of(" \t");
  return last == std::string::npos ? number : line.substr(last + 1);
}

}  // namespace

void RunTimeCode::read(int process, Told& told) {
  told.looked_at = std::chrono::steady_clock::now();
  const std::string file = fmt::format("/proc/{}/root/tmp/perf-{}.map", process, own_number(process));
  const Descriptor map(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat of_file {
  }, of_process{};
  if (!map.valid() || fstat(map.get(), &of_file) != 0 || !S_ISREG(of_file.st_mode) ||
      stat(fmt::format("/proc/{}", process).c_str(), &of_process) != 0 ||
      (of_file.st_uid != of_process.st_uid && of_file.st_uid != 0))
    return;
  const std::uint64_t size = std::min(static_cast<std::uint64_t>(of_file.st_size), kLargestMap);
  if (size == told.read_bytes) return;
  if (size < told.read_bytes) told = {{}, 0, told.looked_at};  // another one
  std::string text(size - told.read_bytes, '\0');
  const ssize_t got = pread(map.get(), text.data(), text.size(), static_cast<off_t>(told.read_bytes));
  if (got <= 0) return;
  text.resize(static_cast<std::size_t>(got));
  // A line that is being written is read when it is whole.
  text.resize(text.rfind('\n') + 1);
  told.read_bytes += text.size();
  read_run_time_functions(text, told.functions);
}

std::string_view RunTimeCode::at(int process, std::uint64_t address) {
  const auto [known, is_new] = told_.try_emplace(process);
  Told& told = known->second;
  const auto find = [&]() -> std::string_view {
    const auto next = told.functions.upper_bound(address);
    if (next == told.functions.begin() || address >= std::prev(next)->second.end) return "";
    return std::prev(next)->second.name;
  };
  if (is_new) read(process, told);
  const std::string_view name = find();
  constexpr std::chrono::seconds kBetweenLooks{1};
  if (!name.empty() || std::chrono::steady_clock::now() - told.looked_at < kBetweenLooks) return name;
  read(process, told);
  return find();
}

}  // namespace vtax::profile
