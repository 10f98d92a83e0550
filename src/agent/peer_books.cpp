#include "agent/peer_books.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <thread>

#include "agent/lab_layout.h"
#include "agent/program.h"
#include "core/files.h"
#include "meter/cpu_reading.h"
#include "meter/process_table.h"
#include "platform/placement.h"
#include "watch/hypervisor_process.h"

namespace vtax::agent {
namespace {

constexpr char kXentopOutput[] = "/tmp/xentop";
constexpr std::size_t kMostThreads = 1000;
// The window follows in a quarter of a quiet time.
constexpr std::chrono::milliseconds kToFirstReading{100}, kBetweenLooks{2};

std::uint64_t run_ns(int process) {
  std::uint64_t sum = 0;
  if (const auto threads = meter::ThreadBooks(process, false).read(kMostThreads))
    for (const auto& [number, thread] : *threads) sum += thread.times.run_ns;
  return sum;
}

// User and system time of a process, whole ticks.
std::uint64_t ticks_of(int process) {
  std::string buffer;
  const auto text = meter::read_once(AT_FDCWD, fmt::format("/proc/{}/stat", process).c_str(), buffer);
  if (!text) return 0;
  meter::Words words(text->substr(text->rfind(')') + 1));
  constexpr int kBeforeUserTime = 11;
  words.skip(kBeforeUserTime);
  std::uint64_t ticks = 0;
  for (int i = 0; i < 2; ++i) ticks += meter::whole_number<std::uint64_t>(words.next()).value_or(0);
  return ticks * meter::kTickNs;
}

std::optional<std::string> find_xentop() {
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/usr/lib", error), end; !error && entry != end;
       entry.increment(error)) {
    const auto program = entry->path() / "bin/xentop";
    if (entry->path().filename().string().starts_with("xen-") && std::filesystem::exists(program))
      return program.string();
  }
  return std::nullopt;
}

}  // namespace

Result<std::map<std::string, PeerBooks::Times>> PeerBooks::read() {
  auto processes = meter::ProcessTable::open();
  if (!processes) return fail(processes.error());
  if (auto scanned = processes->scan(); !scanned) return fail(scanned.error());
  std::map<std::string, Times> all;
  for (const auto& [number, process] : processes->all()) {
    const auto hypervisor = watch::hypervisor_of(process.arguments);
    if (!hypervisor || hypervisor->xen_domain) continue;
    Times& times = all[hypervisor->name];
    times.ticks_ns = ticks_of(number);
    if (const auto threads = meter::ThreadBooks(number, false).read(kMostThreads))
      for (const auto& [id, thread] : *threads)
        (watch::virtual_cpu_of(thread.name) ? times.virtual_cpus_ns : times.other_threads_ns) +=
            thread.times.run_ns;
    const std::string vhost = fmt::format("vhost-{}", number);
    for (const auto& [other, facts] : processes->all())
      if (facts.of_kernel && facts.name == vhost) times.vhost_ns += run_ns(other);
  }
  return all;
}

Result<> PeerBooks::begin() {
  auto read_now = read();
  if (!read_now) return fail(read_now.error());
  before_ = std::move(*read_now);
  const auto xentop = find_xentop();
  if (!xentop) return {};
  const auto started = start_program({*xentop, "-b", "-d", "1", "-i", "2"}, kXentopOutput);
  if (!started) return fail(started.error());
  xentop_ = *started;
  // Not where the work for guests is measured.
  if (auto pinned = pin(xentop_, lab::kCardPeerCpu); !pinned) return pinned;
  // What it prints at its first reading, which has to be before the window.
  const auto latest = std::chrono::steady_clock::now() + kToFirstReading;
  std::error_code error;
  while (std::filesystem::file_size(kXentopOutput, error) == 0 || error) {
    if (std::chrono::steady_clock::now() > latest)
      return fail(Error{"have xentop read before the window",
                        fmt::format("it took more than {} ms", kToFirstReading.count()), "",
                        ExitCode::trial_failed});
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return {};
}

Result<> PeerBooks::end() {
  auto read_now = read();
  if (!read_now) return fail(read_now.error());
  after_ = std::move(*read_now);
  if (xentop_ < 0) return {};
  if (const auto ended = wait_for_program(xentop_, "xentop", std::chrono::seconds(20)); !ended)
    return fail(ended.error());
  auto text = read_text(kXentopOutput);
  if (!text) return fail(text.error());
  xentop_says_ = std::move(*text);
  return {};
}

void PeerBooks::describe(nlohmann::json& result) const {
  nlohmann::json guests = nlohmann::json::array();
  for (const auto& [name, is] : after_) {
    const auto was = before_.find(name);
    if (was == before_.end()) continue;
    guests.push_back({{"name", name},
                      {"virtual_cpus_ns", is.virtual_cpus_ns - was->second.virtual_cpus_ns},
                      {"other_threads_ns", is.other_threads_ns - was->second.other_threads_ns},
                      {"ticks_ns", is.ticks_ns - was->second.ticks_ns},
                      {"vhost_ns", is.vhost_ns - was->second.vhost_ns}});
  }
  result["peers"] = {{"guests", guests}};
  if (!xentop_says_.empty()) result["peers"]["xentop"] = xentop_says_;
}

}  // namespace vtax::agent
