#include "watch/show/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "core/metric_label.h"
#include "watch/show/figures.h"

namespace vtax::watch {
namespace {

void add(std::optional<std::uint64_t>& sum, const std::optional<std::uint64_t>& value) {
  if (value) sum = sum.value_or(0) + *value;
}

// Of members that are counts.
template <class Use, class... Members>
void add_use(std::optional<Use>& sum, const std::optional<Use>& value, Members... members) {
  if (!value) return;
  if (!sum) sum.emplace();
  ((((*sum).*members) += (*value).*members), ...);
}

// One metric after the other; what has no sample has no heading either.
class Text {
 public:
  void begin(std::string_view name, std::string_view type, std::string_view unit, std::string_view help) {
    name_ = name;
    heading_ = fmt::format("# TYPE {} {}\n", name, type);
    if (!unit.empty()) heading_ += fmt::format("# UNIT {} {}\n", name, unit);
    heading_ += fmt::format("# HELP {} {}\n", name, help);
    ending_ = type == "counter" ? "_total" : type == "info" ? "_info" : "";
  }
  void sample(std::string_view labels, std::string_view value) {
    const std::string heading = std::exchange(heading_, "");
    fmt::format_to(std::back_inserter(text_), "{}{}{}{}{}{} {}\n", heading, name_, ending_,
                   labels.empty() ? "" : "{", labels, labels.empty() ? "" : "}", value);
  }
  void write(std::ostream& out) const {
    out.write(text_.data(), static_cast<std::streamsize>(text_.size()));
    out << "# EOF\n";
  }

 private:
  std::string name_, heading_, ending_;
  fmt::memory_buffer text_;
};

}  // namespace

void Metrics::take(const Reading& reading) {
  ++readings_;
  driver_ = reading.driver;
  all_cpus_ns_ += reading.all_cpus_ns;
  missing_ = reading.missing.size();
  for (const auto member : {&OtherTime::driver_ns, &OtherTime::uncharged_ns, &OtherTime::elsewhere_ns,
                            &OtherTime::vtax_ns, &OtherTime::stolen_ns, &OtherTime::idle_ns})
    other_.*member += reading.other.*member;
  for (auto& [name, sums] : guests_) sums.is_here = false;
  for (const GuestUse& guest : reading.guests) {
    // Names that a label cannot tell apart are one domain: the same series twice, and nothing is scraped.
    Sums& sums = guests_[metric_label(guest.name)];
    sums.is_here = true;
    sums.seen = reading.at;
    sums.latest = guest;
    sums.latest.virtual_cpus.clear();
    sums.own_ns += guest.own_ns;
    sums.caused.threads_ns += guest.caused.threads_ns;
    sums.caused.packets_ns += guest.caused.packets_ns;
    sums.caused.shared_ns += guest.caused.shared_ns;
    add(sums.waiting_ns, guest.waiting_ns);
    add(sums.blocked_ns, guest.blocked_ns);
    add(sums.switches, guest.switches);
    add(sums.exits, guest.exits);
    add_use(sums.network, guest.network, &NetworkUse::received_packets, &NetworkUse::sent_packets,
            &NetworkUse::received_bytes, &NetworkUse::sent_bytes, &NetworkUse::drops);
    add_use(sums.disk, guest.disk, &DiskUse::reads, &DiskUse::writes, &DiskUse::read_bytes,
            &DiskUse::written_bytes);
  }
  forget(reading.at);
}

void Metrics::forget(std::chrono::system_clock::time_point now) {
  std::erase_if(guests_,
                [&](const auto& one) { return !one.second.is_here && now - one.second.seen > kKept; });
  const auto here =
      std::count_if(guests_.begin(), guests_.end(), [](const auto& one) { return one.second.is_here; });
  if (guests_.size() - static_cast<std::size_t>(here) <= kMostGone) return;
  std::vector<std::pair<std::chrono::system_clock::time_point, std::string>> gone;
  for (const auto& [name, sums] : guests_)
    if (!sums.is_here) gone.emplace_back(sums.seen, name);
  std::sort(gone.begin(), gone.end());
  gone.resize(gone.size() - kMostGone);
  for (const auto& [seen, name] : gone) guests_.erase(name);
}

void Metrics::write(std::ostream& out) const {
  Text text;
  std::vector<std::pair<std::string, const Sums*>> guests;  // with their label
  for (const auto& [name, sums] : guests_) guests.emplace_back(fmt::format("domain=\"{}\"", name), &sums);
  using Value = std::function<std::optional<std::string>(const Sums&)>;
  const auto each = [&](std::string_view name, std::string_view type, std::string_view unit,
                        std::string_view help, const Value& value) {
    text.begin(name, type, unit, help);
    for (const auto& [label, sums] : guests)
      if (const auto known = value(*sums)) text.sample(label, *known);
  };
  const auto seconds = [](const std::optional<std::uint64_t>& ns) {
    return ns ? std::optional(seconds_text(*ns)) : std::nullopt;
  };
  const auto count = [](const std::optional<std::uint64_t>& value) {
    return value ? std::optional(std::to_string(*value)) : std::nullopt;
  };

  text.begin("vtax_domain", "info", "", "A guest of this computer; domain is its name.");
  for (const auto& [label, sums] : guests)
    if (sums->is_here)
      text.sample(fmt::format("{},kind=\"{}\",id=\"{}\",found_by=\"{}\"", label, kind_name(sums->latest.kind),
                              metric_label(sums->latest.id), metric_label(sums->latest.found_by)),
                  "1");
  text.begin(
      "vtax_domain_cpu_seconds", "counter", "seconds",
      "CPU time of a guest: its own (layer guest) and what the driver domain or host did for it (layer "
      "driver), by part.");
  for (const auto& [label, sums] : guests) {
    text.sample(label + ",layer=\"guest\",part=\"\"", seconds_text(sums->own_ns));
    for (const auto& [part, ns] :
         {std::pair("threads", sums->caused.threads_ns), std::pair("packets", sums->caused.packets_ns),
          std::pair("shared", sums->caused.shared_ns)})
      text.sample(fmt::format("{},layer=\"driver\",part=\"{}\"", label, part), seconds_text(ns));
  }
  text.begin("vtax_other_cpu_seconds", "counter", "seconds",
             "CPU time that is no guest's; with vtax_domain_cpu_seconds all that there was.");
  for (const auto& [part, ns] :
       {std::pair("driver", other_.driver_ns), std::pair("uncharged", other_.uncharged_ns),
        std::pair("elsewhere", other_.elsewhere_ns), std::pair("vtax", other_.vtax_ns),
        std::pair("stolen", other_.stolen_ns), std::pair("idle", other_.idle_ns)})
    text.sample(fmt::format("part=\"{}\"", part), seconds_text(ns));
  each("vtax_domain_waiting_seconds", "counter", "seconds",
       "Time in which virtual CPUs or tasks could run but did not.",
       [&](const Sums& s) { return seconds(s.waiting_ns); });
  each("vtax_domain_blocked_seconds", "counter", "seconds",
       "Time in which virtual CPUs or tasks had nothing to do.",
       [&](const Sums& s) { return seconds(s.blocked_ns); });
  each("vtax_domain_switches", "counter", "", "Switches of virtual CPUs or tasks onto a CPU.",
       [&](const Sums& s) { return count(s.switches); });
  each("vtax_domain_exits", "counter", "", "Exits from guest to hypervisor.",
       [&](const Sums& s) { return count(s.exits); });
  const auto network = [&](std::uint64_t NetworkUse::*member) -> Value {
    return [=](const Sums& s) {
      return s.network ? std::optional(std::to_string((*s.network).*member)) : std::nullopt;
    };
  };
  each("vtax_domain_network_receive_bytes", "counter", "bytes", "Bytes that came to the guest.",
       network(&NetworkUse::received_bytes));
  each("vtax_domain_network_transmit_bytes", "counter", "bytes", "Bytes that it sent.",
       network(&NetworkUse::sent_bytes));
  each("vtax_domain_network_receive_packets", "counter", "packets", "Packets that came to the guest.",
       network(&NetworkUse::received_packets));
  each("vtax_domain_network_transmit_packets", "counter", "packets", "Packets that it sent.",
       network(&NetworkUse::sent_packets));
  each("vtax_domain_network_dropped_packets", "counter", "packets", "Its packets that were dropped.",
       network(&NetworkUse::drops));
  const auto disk = [&](std::uint64_t DiskUse::*member) -> Value {
    return [=](const Sums& s) {
      return s.disk ? std::optional(std::to_string((*s.disk).*member)) : std::nullopt;
    };
  };
  each("vtax_domain_disk_reads", "counter", "", "Disk requests to read.", disk(&DiskUse::reads));
  each("vtax_domain_disk_writes", "counter", "", "Disk requests to write.", disk(&DiskUse::writes));
  each("vtax_domain_disk_read_bytes", "counter", "bytes", "Bytes read from disks.",
       disk(&DiskUse::read_bytes));
  each("vtax_domain_disk_written_bytes", "counter", "bytes", "Bytes written to disks.",
       disk(&DiskUse::written_bytes));
  const auto now = [&](std::optional<std::uint64_t> MemoryUse::*member) -> Value {
    return [=](const Sums& s) { return s.is_here ? count(s.latest.memory.*member) : std::nullopt; };
  };
  each("vtax_domain_memory_given_bytes", "gauge", "bytes", "Memory that the guest may use at most.",
       now(&MemoryUse::given_bytes));
  each("vtax_domain_memory_used_bytes", "gauge", "bytes", "Memory of this computer that it takes now.",
       now(&MemoryUse::used_bytes));
  each("vtax_domain_memory_balloon_bytes", "gauge", "bytes", "Memory that a balloon has taken back from it.",
       now(&MemoryUse::balloon_bytes));
  each("vtax_domain_paused", "gauge", "", "1: the guest is paused.", [](const Sums& s) {
    return s.is_here ? std::optional<std::string>(s.latest.paused ? "1" : "0") : std::nullopt;
  });
  text.begin("vtax_driver", "info", "", "Who does the guests' driver work.");
  if (readings_ > 0) text.sample(fmt::format("driver=\"{}\"", metric_label(driver_)), "1");
  text.begin("vtax_readings", "counter", "", "Readings since vtax began.");
  text.sample("", std::to_string(readings_));
  text.begin("vtax_unseen", "gauge", "",
             "How many things cannot be seen here; `vtax top -b -i 1` says which.");
  text.sample("", std::to_string(missing_));
  text.write(out);
}

}  // namespace vtax::watch
