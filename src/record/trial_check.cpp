#include "record/trial_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>
#include <utility>

#include "core/readable.h"
#include "record/schedule_text.h"
#include "record/timeline_text.h"

namespace vtax {
namespace {

constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();

Result<> wrong(const Trial& trial, const std::string& why) {
  return fail({"", fmt::format("trial {}: {}", number_of(trial.index), why), "", ExitCode::io});
}

// Adds up counts and remembers whether all of them, and the sum, fit in 63 bits.
class Sum {
 public:
  void add(std::uint64_t value) {
    std::uint64_t sum = 0;
    fits_ = fits_ && !__builtin_add_overflow(sum_, value, &sum) && sum <= kLargest;
    sum_ = sum;
  }
  [[nodiscard]] bool fits() const { return fits_; }
  [[nodiscard]] std::uint64_t value() const { return sum_; }

 private:
  std::uint64_t sum_ = 0;
  bool fits_ = true;
};

bool is_digest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<> check_balance(const Trial& trial) {
  std::map<std::string_view, Sum> sums;
  for (const LedgerEntry& entry : trial.ledger) {
    const int least = entry.layer == Layer::uncharged ? LedgerEntry::kUnknownCpu : 0;
    if (entry.cpu < least || entry.value > kLargest)
      return wrong(trial, "a count in its ledger is out of range");
    if (!is_text(entry.domain) || !is_text(entry.kind))
      return wrong(trial, "a name in its ledger is not text");
    sums[entry.kind].add(entry.value);
  }
  for (const auto& [kind, sum] : sums)
    if (!sum.fits())
      return wrong(trial, fmt::format("its ledger's {} add up to more than 63 bits", printable(kind)));
  const Sum ledger = sums["instructions"];
  // Of the real host the ledger is in CPU time, and nothing says how many instructions that was.
  const bool has_time = sums.contains(kCpuTimeKind);
  if (has_time && (ledger.value() > 0 || trial.machine_total.value > 0))
    return wrong(trial, "its ledger has two units");
  if (ledger.value() != trial.machine_total.value) {
    return wrong(trial, fmt::format("its ledger adds up to {} instructions, but the machine executed {}",
                                    ledger.value(), trial.machine_total.value));
  }
  if (trial.functions.empty()) return {};
  Sum functions, calls;
  for (const FunctionCost& cost : trial.functions) {
    if (!is_text(cost.domain) || !is_text(cost.image) || !is_text(cost.function)) {
      return wrong(trial, "a name in its profile is not text");
    }
    functions.add(cost.instructions.value);
    calls.add(cost.calls.value_or(0));
  }
  if (!calls.fits()) return wrong(trial, "its profile's calls add up to more than 63 bits");
  if (!functions.fits() || functions.value() != trial.machine_total.value) {
    return wrong(trial, fmt::format("its profile adds up to {} instructions, but the machine executed {}",
                                    functions.value(), trial.machine_total.value));
  }
  return {};
}

// What a column adds up to; nothing if that is out of range, or if it has not one number a slice.
std::optional<std::uint64_t> column_sum(const std::vector<std::uint64_t>& column, const Timeline& timeline) {
  if (column.size() != timeline.end_ns.size()) return std::nullopt;
  Sum sum;
  for (const std::uint64_t value : column) sum.add(value);
  return sum.fits() ? std::optional(sum.value()) : std::nullopt;
}

// What its rows have to add up to, each the sum of the ledger's entries that it stands for.
class RowsOfTimeline {
 public:
  explicit RowsOfTimeline(const Timeline& timeline) : timeline_(timeline) {
    for (const Timeline::Row& row : timeline.rows) {
      const bool is_new =
          sums_.try_emplace(key(row.cpu, row.domain, row.layer, row.part, row.with_program)).second;
      const bool may_be_undivided = timeline.in_time && row.layer == Layer::kernel && row.part == Part::none;
      good_ = good_ && is_new && (!row.with_program || may_be_undivided);
    }
  }

  void add(const LedgerEntry& entry) {
    Sum* sum = find(entry.layer, entry.part, false, entry);
    if (sum == nullptr && timeline_.in_time && entry.layer == Layer::driver)
      sum = find(Layer::driver, Part::none, false, entry);
    const bool is_divided =
        entry.layer == Layer::kernel || entry.layer == Layer::program || entry.layer == Layer::uncharged;
    if (sum == nullptr && is_divided) sum = find(Layer::kernel, Part::none, true, entry);
    good_ = good_ && sum != nullptr;
    if (sum != nullptr) sum->add(entry.value);
  }

  [[nodiscard]] bool add_up() {
    for (const Timeline::Row& row : timeline_.rows) {
      const Sum& wanted = sums_.at(key(row.cpu, row.domain, row.layer, row.part, row.with_program));
      good_ = good_ && wanted.fits() && column_sum(row.cost, timeline_) == wanted.value();
    }
    return good_;
  }

 private:
  using Key = std::tuple<int, std::string, Layer, Part, bool>;
  static Key key(int cpu, const std::string& domain, Layer layer, Part part, bool with_program) {
    return {cpu, domain, layer, part, with_program};
  }
  Sum* find(Layer layer, Part part, bool with_program, const LedgerEntry& entry) {
    const auto found = sums_.find(key(entry.cpu, entry.domain, layer, part, with_program));
    return found == sums_.end() ? nullptr : &found->second;
  }

  const Timeline& timeline_;
  std::map<Key, Sum> sums_;
  bool good_ = true;
};

Result<> check_timeline_devices(const Trial& trial) {
  for (const Timeline::Device& device : trial.timeline.devices) {
    if (!is_text(device.side) || !is_text(device.domain) || !is_text(device.device))
      return wrong(trial, "a device's name in its timeline is not text");
    for (const auto* column : {&device.received_bytes, &device.sent_bytes, &device.received_packets,
                               &device.sent_packets, &device.dropped_packets})
      if (!column_sum(*column, trial.timeline))
        return wrong(trial, "its timeline's devices do not fit its slices");
  }
  return {};
}

Result<> check_timeline_work(const Trial& trial) {
  const Timeline& timeline = trial.timeline;
  if (timeline.in_time && timeline.work.empty()) return {};
  if (timeline.work.size() != trial.guests.size())
    return wrong(trial, "its timeline tells of other guests' work");
  for (std::size_t i = 0; i < timeline.work.size(); ++i) {
    const Timeline::Amounts& work = timeline.work[i];
    const GuestWork& guest = trial.guests[i];
    if (work.guest != guest.guest || column_sum(work.bytes, timeline) != guest.bytes.value ||
        column_sum(work.transactions, timeline) != guest.transactions.value)
      return wrong(trial, "its timeline does not add up to its guests' work");
  }
  return {};
}

Result<> check_timeline(const Trial& trial) {
  const Timeline& timeline = trial.timeline;
  if (timeline.empty()) return {};
  if (timeline.end_ns.size() > kMostSlices || timeline.end_ns.back() > kLargest ||
      !std::is_sorted(timeline.end_ns.begin(), timeline.end_ns.end()))
    return wrong(trial, "its timeline goes back in time");
  RowsOfTimeline rows(timeline);
  for (const LedgerEntry& entry : trial.ledger)
    if (entry.kind == (timeline.in_time ? kCpuTimeKind : "instructions")) rows.add(entry);
  if (!rows.add_up()) return wrong(trial, "its timeline does not add up to its ledger");
  if (auto devices = check_timeline_devices(trial); !devices) return devices;
  return check_timeline_work(trial);
}

Result<> check_schedule(const Trial& trial) {
  for (const Schedule::Vcpu& vcpu : trial.schedule.vcpus)
    if (!is_text(vcpu.domain)) return wrong(trial, "a name in its schedule is not text");
  if (trial.schedule.stays.size() > kMostStays) return wrong(trial, "its schedule is too long");
  std::map<int, std::uint64_t> now;  // by CPU
  const Schedule::Stay* before = nullptr;
  for (const Schedule::Stay& stay : trial.schedule.stays) {
    std::uint64_t& end = now[stay.cpu];
    const bool in_order =
        before == nullptr || std::pair(before->begin_ns, before->cpu) < std::pair(stay.begin_ns, stay.cpu);
    if (!in_order || stay.begin_ns < end || stay.end_ns <= stay.begin_ns || stay.end_ns > kLargest ||
        stay.woke_ns.value_or(0) > stay.end_ns || stay.vcpu >= trial.schedule.vcpus.size() || stay.cpu < 0)
      return wrong(trial, "its schedule goes back in time, or has two at once on a CPU");
    end = stay.end_ns;
    before = &stay;
  }
  if (trial.schedule.left_out > kLargest) return wrong(trial, "its schedule is out of range");
  return {};
}

}  // namespace

bool is_json_object(std::string_view text) {
  if (text.empty()) return true;
  if (!nlohmann::json::accept(text)) return false;
  int depth = 0;
  bool in_string = false;
  bool begun = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > 64) return false;
    if (!begun && c != ' ' && c != '\n' && c != '\t' && c != '\r') {
      if (c != '{') return false;
      begun = true;
    }
  }
  return true;
}

Result<> check(const Trial& trial) {
  if (trial.repetition < 1 || trial.repetition > 1000) return wrong(trial, "its repetition is not 1 to 1000");
  if (trial.index > kLargest) return wrong(trial, "its place is out of range");
  for (const char* needed : {"platform", "workload"}) {
    if (trial.factors.find(needed) == trial.factors.end())
      return wrong(trial, fmt::format("it names no {}", needed));
  }
  for (const auto& [name, value] : trial.factors) {
    if (!is_text(name) || !is_text(value)) return wrong(trial, "a factor of it is not text");
  }
  if (!is_json_object(trial.provenance)) return wrong(trial, "its provenance is not a JSON object");
  if (trial.elapsed_host_ns > kLargest) return wrong(trial, "its duration is out of range");
  if (!trial.error.empty()) return {};
  if (!is_digest(trial.digest)) return wrong(trial, "its digest is not a SHA-256 in hexadecimal");
  Sum counts;
  for (const std::uint64_t value :
       {trial.work.bytes.value, trial.work.packets.value, trial.work.transactions.value,
        trial.machine_total.value, trial.peer_total.value, trial.window_virtual_ns}) {
    counts.add(value);
  }
  for (const DeviceCount& d : trial.devices) {
    if (!is_text(d.side) || !is_text(d.domain) || !is_text(d.device))
      return wrong(trial, "a device's name is not text");
    for (const std::uint64_t value :
         {d.received.value, d.sent.value, d.received_bytes.value, d.sent_bytes.value}) {
      counts.add(value);
    }
  }
  for (const GuestWork& guest : trial.guests) {
    if (!is_text(guest.guest)) return wrong(trial, "a guest's name is not text");
    counts.add(guest.bytes.value);
    counts.add(guest.transactions.value);
    counts.add(guest.virtual_ns);
  }
  for (const Waiting& waiting : trial.waiting) {
    if (!is_text(waiting.guest)) return wrong(trial, "a guest's name is not text");
    if (waiting.count == 0 || !(waiting.least_ns <= waiting.p50_ns && waiting.p50_ns <= waiting.p90_ns &&
                                waiting.p90_ns <= waiting.p99_ns && waiting.p99_ns <= waiting.p999_ns &&
                                waiting.p999_ns <= waiting.most_ns && waiting.most_ns <= waiting.sum_ns))
      return wrong(trial, "its latencies contradict each other");
    counts.add(waiting.count);
    counts.add(waiting.sum_ns);
  }
  for (const Busy& busy : trial.busy) {
    if (!is_text(busy.domain) || busy.cpu < 0) return wrong(trial, "a CPU's time is nobody's");
    counts.add(busy.ns);
  }
  if (!counts.fits()) return wrong(trial, "a count of it is out of range");
  if (auto balanced = check_balance(trial); !balanced) return balanced;
  if (auto scheduled = check_schedule(trial); !scheduled) return scheduled;
  return check_timeline(trial);
}

}  // namespace vtax
