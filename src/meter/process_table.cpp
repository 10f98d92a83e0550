#include "meter/process_table.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace vtax::meter {
namespace {

// What a hypervisor is told is far less; a process may say anything, and be asked again and again.
constexpr std::size_t kMostArgumentBytes = 65'536, kMostArguments = 1'000;

constexpr std::uint64_t kKernelThreadFlag = 0x200000;  // PF_KTHREAD of Linux
constexpr int kScansBetweenDoubts = 16;

}  // namespace

std::optional<ProcessLine> parse_process_line(std::string_view text) {
  const std::size_t open = text.find('('), close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  ProcessLine line;
  line.name = text.substr(open + 1, close - open - 1);
  Words words(text.substr(close + 1));
  const std::string_view state = words.next();
  if (state.size() != 1) return std::nullopt;
  line.state = state.front();
  const auto take = [&](auto& into) {
    const auto value = whole_number<std::remove_reference_t<decltype(into)>>(words.next());
    if (value) into = *value;
    return value.has_value();
  };
  // proc(5): parent is field 4, flags 9, starttime 22, processor 39, guest_time 43.
  if (!take(line.parent)) return std::nullopt;
  words.skip(4);
  if (!take(line.flags)) return std::nullopt;
  words.skip(12);
  if (!take(line.born_ticks)) return std::nullopt;
  words.skip(16);
  if (!take(line.cpu)) return std::nullopt;
  words.skip(3);
  if (!take(line.guest_ticks)) return std::nullopt;
  return line;
}

std::vector<std::pair<std::string, std::string>> parse_groups(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> groups;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t first = line.find(':');
    if (first == std::string_view::npos) continue;
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    groups.emplace_back(line.substr(first + 1, second - first - 1), line.substr(second + 1));
  }
  return groups;
}

std::optional<ThreadTimes> parse_schedstat(std::string_view text) {
  Words words(text);
  const auto run = whole_number<std::uint64_t>(words.next()),
             waiting = whole_number<std::uint64_t>(words.next()),
             switches = whole_number<std::uint64_t>(words.next());
  if (!run || !waiting || !switches) return std::nullopt;
  return ThreadTimes{*run, *waiting, *switches};
}

Result<ProcessTable> ProcessTable::open() {
  ProcessTable table;
  table.proc_ = Descriptor(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!table.proc_.valid()) return fail(system_error("cannot read /proc", errno));
  return table;
}

std::optional<ProcessFacts> ProcessTable::read(int process) {
  const Descriptor folder(
      openat(proc_.get(), std::to_string(process).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return std::nullopt;
  const auto text = read_once(folder.get(), "stat", buffer_);
  const auto line = text ? parse_process_line(*text) : std::nullopt;
  if (!line) return std::nullopt;
  ProcessFacts facts;
  facts.number = process;
  facts.parent = line->parent;
  facts.born_ticks = line->born_ticks;
  facts.name = line->name;
  facts.of_kernel = (line->flags & kKernelThreadFlag) != 0;
  if (facts.of_kernel) return facts;
  if (const auto arguments = read_once(folder.get(), "cmdline", buffer_, kMostArgumentBytes)) {
    std::string_view rest = *arguments;
    while (!rest.empty() && facts.arguments.size() < kMostArguments) {
      facts.arguments.emplace_back(rest.substr(0, rest.find('\0')));
      rest.remove_prefix(std::min(facts.arguments.back().size() + 1, rest.size()));
    }
  }
  if (const auto groups = read_once(folder.get(), "cgroup", buffer_)) facts.groups = parse_groups(*groups);
  struct stat network {};
  if (fstatat(folder.get(), "ns/net", &network, 0) == 0)
    facts.network_namespace = static_cast<std::uint32_t>(network.st_ino);
  else
    facts.network_is_hidden = errno == EACCES || errno == EPERM;
  return facts;
}

Result<> ProcessTable::scan() {
  const std::vector<int> numbers = numbers_in_folder(proc_.get());
  if (numbers.empty())
    return fail(Error{"read the processes of this computer", "/proc shows none", "mount /proc",
                      ExitCode::unavailable});
  std::map<int, ProcessFacts> before = std::move(all_);
  all_.clear();
  for (const int number : numbers) {
    auto known = before.extract(number);
    int& age = ages_[number];
    const bool is_new = !known;
    if (!is_new && age > 1 && (age + number) % kScansBetweenDoubts != 0) {
      ++age;
      all_.insert(all_.end(), std::move(known));
      continue;
    }
    // Kernel threads stay what they are, but for their names in the beginning.
    age = is_new ? 1 : age + 1;
    auto facts = read(number);
    if (!facts) continue;
    if (is_new || facts->born_ticks != known.mapped().born_ticks || facts->name != known.mapped().name ||
        facts->arguments != known.mapped().arguments || facts->groups != known.mapped().groups ||
        facts->network_namespace != known.mapped().network_namespace)
      ++changes_;
    all_.insert_or_assign(number, std::move(*facts));
  }
  changes_ += before.size();
  for (const auto& [number, gone] : before) ages_.erase(number);
  return {};
}

ThreadBooks::ThreadBooks(int process, bool with_ticks)
    : with_ticks_(with_ticks),
      folder_(open(fmt::format("/proc/{}", process).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
      tasks_(openat(folder_.get(), "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
      stat_(folder_.get(), "stat"),
      memory_(folder_.get(), "statm") {}

std::optional<std::map<int, ThreadReading>> ThreadBooks::read(std::size_t most) {
  const auto own = stat_.read(buffer_);
  const auto line = own ? parse_process_line(*own) : std::nullopt;
  if (!line) return std::nullopt;
  stopped_ = line->state == 'T';
  std::map<int, ThreadReading> out;
  const std::vector<int> numbers = numbers_in_folder(tasks_.get());
  if (numbers.size() > most) {
    threads_.clear();
    return std::nullopt;
  }
  for (const int number : numbers) {
    Held& held = threads_[number];
    auto text = held.schedstat.read(buffer_);
    if (!text) {
      held = {HeldFile(tasks_.get(), fmt::format("{}/schedstat", number).c_str()), {}, {}, 0, 0};
      text = held.schedstat.read(buffer_);
    }
    const auto times = text ? parse_schedstat(*text) : std::nullopt;
    if (!times) continue;
    // A thread names itself, or is named, a moment after it began.
    if (held.age < 2) {
      held.stat = HeldFile(tasks_.get(), fmt::format("{}/stat", number).c_str());
      ++held.age;
    }
    ThreadReading reading{{}, 0, *times, 0, -1};
    if (held.stat.valid()) {
      const auto more = held.stat.read(buffer_);
      const auto thread = more ? parse_process_line(*more) : std::nullopt;
      if (!thread) continue;
      held.name = thread->name;
      held.born_ticks = thread->born_ticks;
      reading.guest_ticks = thread->guest_ticks;
      reading.cpu = thread->cpu;
      if (!with_ticks_ && held.age >= 2) held.stat = {};
    }
    reading.name = held.name;
    reading.born_ticks = held.born_ticks;
    out.emplace_hint(out.end(), number, std::move(reading));
  }
  if (threads_.size() > out.size())
    std::erase_if(threads_, [&](const auto& thread) { return !out.contains(thread.first); });
  return out;
}

std::optional<std::uint64_t> ThreadBooks::resident_bytes() {
  const auto text = memory_.read(buffer_);
  if (!text) return std::nullopt;
  Words words(*text);
  words.skip(1);
  const auto pages = whole_number<std::uint64_t>(words.next());
  if (!pages) return std::nullopt;
  return *pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace vtax::meter
