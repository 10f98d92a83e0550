#include "machine/host/window_books.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "machine/host/sandbox.h"
#include "meter/host_course.h"
#include "meter/host_ledger.h"

namespace vtax::host {

using meter::CpuReading;
using nlohmann::json;

WindowBooks::WindowBooks(const Bench& bench, bool counters, bool with_course)
    : bench_(bench), systems_(bench), with_course_(with_course), counters_(counters) {
  seen_.books.processes = bench.processes;
  seen_.guest_domains = bench.xen_domains;
}

controller::WindowHooks WindowBooks::hooks() {
  controller::WindowHooks hooks;
  hooks.before = [this] {
    softirqs_.begin();
    devices_before_ = systems_.read();
    Result<> read = read_proc(seen_.books.before);
    counters_.begin(seen_.books.before, seen_.books.processes);
    if (read) read = read_xen(seen_.before);
    if (read && with_course_) course_.start([this] { return read_within(); }, bench_.processes);
    return read;
  };
  hooks.after = [this] {
    counters_.end();
    within_ = course_.stop();
    Result<> read = read_xen(seen_.after);
    if (read) read = read_proc(seen_.books.after);
    softirqs_.end();
    devices_after_ = systems_.read();
    return read;
  };
  return hooks;
}

std::vector<LedgerEntry> WindowBooks::ledger(const json& result) {
  for (const json& ns : result.value("systems_user_ns", json::array()))
    seen_.books.guest_programs_ns.push_back(ns.get<std::uint64_t>());
  for (const json& ns : result.value("systems_kernel_ns", json::array()))
    seen_.books.guest_kernels_ns.push_back(ns.get<std::uint64_t>());
  for (const json& client : result.value("clients", json::array()))
    seen_.books.awaited[client.at("process").get<int>()] = {client.at("user_ns").get<std::uint64_t>(),
                                                            client.at("system_ns").get<std::uint64_t>()};
  seen_.books.packets_ns = softirqs_.packets(namespaces_of(bench_.processes), softirqs_.at_end());
  auto rows = ledger_of(seen_);
  counters_.add_rows(seen_.books, on_xen() ? "Domain-0" : "host", rows);
  return rows;
}

Timeline WindowBooks::course(const std::vector<LedgerEntry>& window) {
  const auto namespaces = namespaces_of(bench_.processes);
  const std::uint64_t end_ns = span_of(seen_);
  std::vector<meter::LedgerUpTo> ledgers;
  std::vector<std::vector<DeviceCounters>> devices{devices_before_};
  for (WindowReading& reading : within_) {
    meter::XenLedgerInput until = seen_;
    until.books.after = std::move(reading.books);
    until.books.awaited.clear();  // of the whole window
    until.after = std::move(reading.xen);
    until.books.packets_ns = softirqs_.packets(namespaces, reading.softirqs);
    const std::uint64_t at = span_of(until);
    if (at + kLeastSliceNs > end_ns) break;
    ledgers.push_back({at, ledger_of(until)});
    devices.push_back(std::move(reading.devices));
  }
  ledgers.push_back({end_ns, window});
  devices.push_back(devices_after_);
  Timeline timeline = meter::host_course(ledgers);
  if (!timeline.empty()) timeline.devices = systems_.course(devices);
  return timeline;
}

json WindowBooks::describe() const {
  json meter = {{"span_ns", span_of(seen_)}, {"sources", {"/proc/PID/task/TID/schedstat", "/proc/stat"}}};
  if (on_xen()) meter["sources"].push_back("XEN_DOMCTL_getvcpuinfo");
  if (with_course_) {
    meter["readings_within"] = course_.taken();
    meter["readings_within_ns"] = course_.spent().count();
  }
  softirqs_.describe(meter, namespaces_of(bench_.processes));
  counters_.describe(meter);
  return meter;
}

std::set<int> WindowBooks::outer_processes() const {
  std::set<int> numbers;
  for (const MeteredProcess& metered : bench_.processes)
    if (metered.process < 0) numbers.insert(-metered.process);
  return numbers;
}

std::vector<LedgerEntry> WindowBooks::ledger_of(const meter::XenLedgerInput& input) const {
  return on_xen() ? meter::xen_ledger(input) : meter::host_ledger(input.books);
}

std::uint64_t WindowBooks::span_of(const meter::XenLedgerInput& input) const {
  const auto span =
      on_xen() ? input.after.at - input.before.at : input.books.after.at - input.books.before.at;
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(span).count());
}

Result<WindowReading> WindowBooks::read_within() const {
  WindowReading reading;
  Result<> read = read_xen(reading.xen);
  if (read) read = read_proc(reading.books);
  if (!read) return fail(read.error());
  reading.softirqs = softirqs_.read();
  reading.devices = systems_.read();
  return reading;
}

Result<> WindowBooks::read_proc(CpuReading& into) const {
  // Guests of KVM and device models alone have threads out there, and looking for them takes longer than
  // all else.
  const meter::OursOutside ours{bench_.kernel_threads, outer_processes()};
  const bool has_vhost = std::any_of(bench_.processes.begin(), bench_.processes.end(),
                                     [](const auto& p) { return p.role == MeteredProcess::Role::kvm; });
  const bool looks_outside = has_vhost || !ours.processes.empty();
  auto reading = meter::read_cpu_time(looks_outside ? outer_proc() : std::filesystem::path(), ours.processes);
  if (!reading) return fail(reading.error());
  into = std::move(*reading);
  if (!on_xen()) return {};
  into.outside = meter::read_outside_threads(outer_proc(), ours);
  // There all that runs on the partner's CPU is the trial's, but for what is told here: the thread of the
  // readings within. (This one works beside the window alone.)
  for (const auto& [id, thread] : into.threads)
    if (thread.process == getpid() && id != getpid()) into.outside[-id] = {thread.run_ns, thread.cpu};
  return {};
}

Result<> WindowBooks::read_xen(meter::XenReading& into) const {
  if (!on_xen()) return {};
  std::vector<int> domains{0};
  domains.insert(domains.end(), seen_.guest_domains.begin(), seen_.guest_domains.end());
  auto times = meter::read_xen_times(domains);
  if (!times) return fail(times.error());
  into = {std::chrono::steady_clock::now(), std::move(*times)};
  return {};
}

}  // namespace vtax::host
