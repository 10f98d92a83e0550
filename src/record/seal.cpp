#include "record/seal.h"

#include <array>
#include <charconv>
#include <string_view>

#include "core/sha256.h"
#include "record/schedule_text.h"
#include "record/timeline_text.h"

namespace vtax {
namespace {

// Each value with its end, so that no two contents are one text.
class Content {
 public:
  Content& operator<<(std::uint64_t value) {
    append(value, '\n');
    return *this;
  }
  Content& operator<<(std::string_view value) {
    append(value.size(), ':');
    text_ += value;
    text_ += '\n';
    return *this;
  }
  // A list's length before it tells where the next one begins.
  template <class List, class Add>
  void list(const List& values, const Add& add) {
    *this << values.size();
    for (const auto& value : values) add(value);
  }
  [[nodiscard]] std::string seal() const { return sha256_hex(text_); }

 private:
  void append(std::uint64_t value, char end) {
    std::array<char, 20> digits;  // of the greatest
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    text_.append(digits.data(), written.ptr);
    text_ += end;
  }

  std::string text_;
};

void add_counts(Content& content, const Trial& trial) {
  content << trial.digest << trial.work.bytes.value << trial.work.packets.value
          << trial.work.transactions.value;
  content << trial.machine_total.value << trial.peer_total.value << trial.window_virtual_ns;
  content.list(trial.devices, [&](const DeviceCount& d) {
    content << d.side << d.domain << d.device << d.received.value << d.sent.value << d.received_bytes.value
            << d.sent_bytes.value;
  });
  content.list(trial.guests, [&](const GuestWork& g) {
    content << g.guest << g.bytes.value << g.transactions.value << g.virtual_ns;
  });
  content.list(trial.ledger, [&](const LedgerEntry& e) {
    content << static_cast<std::uint64_t>(e.cpu - LedgerEntry::kUnknownCpu) << e.domain << name(e.layer)
            << name(e.part) << e.kind << e.value;
  });
  content.list(trial.functions, [&](const FunctionCost& f) {
    content << f.domain << name(f.layer) << name(f.part) << f.image << f.function << f.instructions.value
            << (f.calls ? "calls" : "") << f.calls.value_or(0);
  });
  content.list(trial.waiting, [&](const Waiting& w) {
    content << w.guest << w.count << w.sum_ns << w.least_ns << w.p50_ns << w.p90_ns << w.p99_ns << w.p999_ns
            << w.most_ns;
  });
  content.list(trial.busy,
               [&](const Busy& b) { content << static_cast<std::uint64_t>(b.cpu) << b.domain << b.ns; });
  content << (trial.timeline.empty() ? std::string() : timeline_text(trial.timeline));
  if (!trial.schedule.empty()) content << schedule_text(trial.schedule);
}

}  // namespace

std::string seal_of(const Trial& trial) {
  Content content;
  content << trial.index << static_cast<std::uint64_t>(trial.repetition);
  content.list(trial.factors, [&](const auto& factor) { content << factor.first << factor.second; });
  content << trial.error << trial.elapsed_host_ns << trial.provenance;
  if (trial.error.empty()) add_counts(content, trial);
  return content.seal();
}

std::string seal_of(const Run& header) {
  Content content;
  content << header.study << header.question << header.study_source << header.settings << header.vtax_version
          << header.started_utc << header.machine << header.planned_trials;
  return content.seal();
}

}  // namespace vtax
