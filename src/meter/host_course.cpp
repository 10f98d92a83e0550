#include "meter/host_course.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "meter/cpu_reading.h"

namespace vtax::meter {
namespace {

constexpr std::uint64_t kLeastSplitNs = 4 * kTickNs;  // of a slice: host_ledger's least ticks

struct CourseRow {
  int cpu = 0;
  std::string domain;
  Layer layer = Layer::uncharged;
  bool with_program = false;
  auto operator<=>(const CourseRow&) const = default;
};

bool is_the_trials_own(const LedgerEntry& entry) {
  return entry.layer == Layer::kernel || entry.layer == Layer::program || entry.layer == Layer::uncharged;
}

// The CPUs on which the host's own kernel and program are one row.
class Undivided {
 public:
  Undivided(const std::vector<LedgerEntry>& window, std::size_t slices) {
    std::map<int, std::uint64_t> ran;
    for (const LedgerEntry& entry : window) {
      has_driver_ = has_driver_ || entry.layer == Layer::driver;
      if (entry.domain == kHost && is_the_trials_own(entry)) ran[entry.cpu] += entry.value;
    }
    for (const auto& [cpu, ns] : ran)
      if (ns < kLeastSplitNs * slices) cpus_.insert(cpu);
  }

  [[nodiscard]] CourseRow row_of(const LedgerEntry& entry) const {
    const bool is_guests =
        entry.domain != kHost && (entry.layer == Layer::kernel || entry.layer == Layer::program);
    const bool is_short =
        !has_driver_ && entry.domain == kHost && is_the_trials_own(entry) && cpus_.contains(entry.cpu);
    if (is_guests || is_short) return {entry.cpu, entry.domain, Layer::kernel, true};
    return {entry.cpu, entry.domain, entry.layer, false};
  }

 private:
  static constexpr char kHost[] = "host";
  bool has_driver_ = false;
  std::set<int> cpus_;
};

using Sums = std::map<CourseRow, std::vector<std::uint64_t>>;  // up to each reading

// Never less than before, never more than at the end.
void straighten(std::vector<std::uint64_t>& sums) {
  std::uint64_t least = 0;
  for (std::uint64_t& sum : sums) sum = least = std::clamp(sum, least, sums.back());
}

// What the other rows of its CPU leave of the time.
void let_idle_take_the_rest(Sums& sums, const std::vector<LedgerUpTo>& readings) {
  for (auto& [row, column] : sums) {
    if (row.layer != Layer::idle) continue;
    for (std::size_t i = 0; i + 1 < readings.size(); ++i) {
      std::uint64_t others = 0;
      for (const auto& [other, of_other] : sums)
        if (other.cpu == row.cpu && other.layer != Layer::idle) others += of_other[i];
      column[i] = readings[i].end_ns > others ? readings[i].end_ns - others : 0;
    }
    straighten(column);
  }
}

}  // namespace

Timeline host_course(const std::vector<LedgerUpTo>& readings) {
  Timeline timeline;
  if (readings.size() < 2) return timeline;
  const std::vector<LedgerEntry>& window = readings.back().entries;
  const Undivided undivided(window, readings.size());
  Sums sums;
  for (const LedgerEntry& entry : window)
    if (entry.kind == kCpuTimeKind) sums[undivided.row_of(entry)].resize(readings.size());
  for (std::size_t i = 0; i < readings.size(); ++i)
    for (const LedgerEntry& entry : readings[i].entries)
      if (const auto found = sums.find(undivided.row_of(entry));
          found != sums.end() && entry.kind == kCpuTimeKind)
        found->second[i] += entry.value;
  for (auto& [row, column] : sums) straighten(column);
  let_idle_take_the_rest(sums, readings);

  for (const LedgerUpTo& reading : readings) timeline.end_ns.push_back(reading.end_ns);
  timeline.in_time = true;
  for (auto& [row, column] : sums) {
    for (std::size_t i = column.size() - 1; i > 0; --i) column[i] -= column[i - 1];
    timeline.rows.push_back(
        {row.cpu, row.domain, row.layer, Part::none, std::move(column), row.with_program});
  }
  return timeline;
}

}  // namespace vtax::meter
