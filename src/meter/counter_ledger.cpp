#include "meter/counter_ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "meter/metered_thread.h"
#include "platform/booted_guests.h"

namespace vtax::meter {
namespace {

struct CounterRow {
  int cpu = 0;
  std::string domain;
  Layer layer = Layer::uncharged;
  Part part = Part::none;
  auto operator<=>(const CounterRow&) const = default;
};

bool is_guests(CpuMode mode) {
  return mode == CpuMode::guest_user || mode == CpuMode::guest_kernel;
}

// Whose a thread's count is.
class Places {
 public:
  Places(const LedgerInput& books, std::string host) : books_(books), host_(std::move(host)) {
    beside_guest_ = has_guest(books.processes) || host_ != "host";
  }

  [[nodiscard]] std::optional<CounterRow> place_of(int number, CpuMode mode) const {
    const ThreadTime* thread = find(books_.after, number);
    if (thread == nullptr) thread = find(books_.before, number);
    if (thread == nullptr) return std::nullopt;
    const MeteredProcess* owner = owner_of(thread->process, books_.processes, books_.after.parents);
    if (owner == nullptr) owner = owner_of(thread->process, books_.processes, books_.before.parents);
    if (owner == nullptr) return std::nullopt;
    const std::string guest = guest_domain_name(owner->guest);
    const CounterRow hosts_kernel = beside_guest_ ? CounterRow{owner->cpu, host_, Layer::driver, Part::kernel}
                                                  : CounterRow{owner->cpu, host_, Layer::kernel, Part::none};
    switch (mode) {
      case CpuMode::kernel:
      case CpuMode::host:
        return hosts_kernel;
      case CpuMode::guest_user:
        return CounterRow{owner->cpu, guest, Layer::program, Part::none};
      case CpuMode::guest_kernel:
        return CounterRow{owner->cpu, guest, Layer::kernel, Part::none};
      case CpuMode::user:
        break;
    }
    switch (kind_of(*thread, *owner)) {
      case ThreadKind::virtual_cpu:
        return CounterRow{owner->cpu, guest, Layer::uncharged, Part::none};
      case ThreadKind::uml_kernel:
        return CounterRow{owner->cpu, guest, Layer::kernel, Part::none};
      case ThreadKind::uml_program:
        return CounterRow{owner->cpu, guest, Layer::program, Part::none};
      default:
        return beside_guest_ ? CounterRow{owner->cpu, host_, Layer::driver, Part::program}
                             : CounterRow{owner->cpu, host_, Layer::program, Part::none};
    }
  }

 private:
  static const ThreadTime* find(const CpuReading& reading, int number) {
    const auto found = reading.threads.find(number);
    return found == reading.threads.end() ? nullptr : &found->second;
  }

  const LedgerInput& books_;
  std::string host_;
  bool beside_guest_ = false;
};

// How long the trial's threads ran, and what of it no counter saw.
struct ThreadTimes {
  std::uint64_t counted_ns = 0, of_kernel_threads_ns = 0, guest_ticks = 0;
  int begun = 0;  // within the window
};

ThreadTimes times_of(const LedgerInput& books) {
  ThreadTimes times;
  for (const auto& [number, now] : books.after.threads) {
    // No counter is meant for a device model outside of the sandbox.
    if (now.process < 0 || owner_of(now.process, books.processes, books.after.parents) == nullptr) continue;
    const auto then = books.before.threads.find(number);
    const bool is_new = then == books.before.threads.end();
    const std::uint64_t ran = now.run_ns - std::min(now.run_ns, is_new ? 0 : then->second.run_ns);
    (number < 0 ? times.of_kernel_threads_ns : times.counted_ns) += ran;
    times.guest_ticks += now.guest_ticks - std::min(now.guest_ticks, is_new ? 0 : then->second.guest_ticks);
    times.begun += is_new && number > 0 ? 1 : 0;
  }
  return times;
}

double milliseconds_of(std::uint64_t ns) {
  return static_cast<double>(ns) * 1e-6;
}

// Of the trial, so of a ledger in CPU time all but idle and other programs.
std::uint64_t time_of_trial(const std::vector<LedgerEntry>& ledger) {
  std::uint64_t sum = 0;
  for (const LedgerEntry& e : ledger)
    if (e.kind == kCpuTimeKind && e.layer != Layer::idle && e.layer != Layer::elsewhere) sum += e.value;
  return sum;
}

// A virtual machine may have counters that are there and never count, and a CPU filters that nothing passes.
void drop_what_stands_still(CounterReading& counts, const std::vector<CountedEvent>& events,
                            const ThreadTimes& times) {
  const auto cycles = std::find_if(events.begin(), events.end(), [](const CountedEvent& event) {
    return event.kind == std::string_view(kHardwareCyclesKind);
  });
  if (cycles == events.end()) return;
  const auto place = static_cast<std::size_t>(cycles - events.begin());
  constexpr std::uint64_t kLongEnoughNs = 1'000'000;
  for (const bool of_guest : {false, true}) {
    std::uint64_t sum = 0, running_ns = 0;
    bool any = false;
    for (const CounterReading::Row& row : counts.rows) {
      if (is_guests(row.mode) != of_guest) continue;
      any = true;
      sum += row.values[place];
      running_ns += row.running_ns;
    }
    if (!any || sum > 0 || running_ns < kLongEnoughNs || (of_guest && times.guest_ticks == 0)) continue;
    for (const CounterReading::Row& row : counts.rows)
      if (is_guests(row.mode) == of_guest) counts.not_seen[row.mode] = "the counters stand still at 0";
  }
  std::erase_if(counts.rows,
                [&](const CounterReading::Row& row) { return counts.not_seen.contains(row.mode); });
}

}  // namespace

std::vector<ThreadCounters::Thread> countable_threads(const CpuReading& reading,
                                                      const std::vector<MeteredProcess>& processes) {
  std::vector<ThreadCounters::Thread> threads;
  for (const auto& [number, thread] : reading.threads) {
    const MeteredProcess* owner = owner_of(thread.process, processes, reading.parents);
    if (number > 0 && owner != nullptr)
      threads.push_back({number, kind_of(thread, *owner) == ThreadKind::kvm_cpu});
  }
  return threads;
}

CounterLedger counter_ledger(const LedgerInput& books, const std::vector<LedgerEntry>& ledger,
                             const CounterReading& reading, const std::vector<CountedEvent>& events,
                             const std::string& host) {
  CounterLedger out;
  CounterReading counts = reading;
  const ThreadTimes times = times_of(books);
  drop_what_stands_still(counts, events, times);
  const Places places(books, host);
  std::map<CounterRow, std::vector<std::uint64_t>> rows;
  for (const CounterReading::Row& counted : counts.rows) {
    const auto place = places.place_of(counted.thread, counted.mode);
    if (!place) continue;
    auto& sums = rows[*place];
    sums.resize(events.size());
    for (std::size_t i = 0; i < events.size(); ++i) sums[i] += counted.values[i];
    if (counted.enabled_ns > 0)
      out.time_share = std::min(
          out.time_share, static_cast<double>(counted.running_ns) / static_cast<double>(counted.enabled_ns));
  }
  for (const auto& [row, sums] : rows)
    for (std::size_t i = 0; i < events.size(); ++i)
      if (sums[i] > 0)
        out.rows.push_back({row.cpu, row.domain, row.layer, row.part, events[i].kind, sums[i]});
  if (out.rows.empty()) {
    out.state = "not counted: " + (counts.not_seen.empty() ? std::string("no thread of the trial was there")
                                                           : counts.not_seen.begin()->second);
    return out;
  }
  out.state = "counted";
  for (const auto& [mode, why] : counts.not_seen)
    out.notes.push_back(fmt::format("not seen: {}: {}", name(mode), why));
  if (times.of_kernel_threads_ns > 0)
    out.notes.push_back(fmt::format("not seen: vhost's threads, which are the kernel's ({:.1f} ms)",
                                    milliseconds_of(times.of_kernel_threads_ns)));
  std::uint64_t packets_ns = 0;
  for (const auto& [cpu, ns] : books.packets_ns) packets_ns += ns;
  if (packets_ns > 0)
    out.notes.push_back(
        fmt::format("not seen: packets on other threads' backs ({:.1f} ms)", milliseconds_of(packets_ns)));
  if (host != "host")
    out.notes.emplace_back("not seen: Xen, its guests, and all of Domain-0 but the trial's own threads");
  if (times.begun > 0)
    out.notes.push_back(fmt::format(
        "{} threads began within the window: their counts are with those of who started them", times.begun));
  if (out.time_share < 1)
    out.notes.push_back(fmt::format(
        "estimates: the CPU has too few counters, and some counted for {:.0f} % of their time alone",
        100 * out.time_share));
  const std::uint64_t all_ns = time_of_trial(ledger);
  if (all_ns > 0)
    out.cpu_share = std::min(1.0, static_cast<double>(times.counted_ns) / static_cast<double>(all_ns));
  return out;
}

}  // namespace vtax::meter
