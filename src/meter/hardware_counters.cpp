#include "meter/hardware_counters.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "core/kernel_file.h"
#include "record/trial.h"

namespace vtax::meter {
namespace {

constexpr char kParanoidFile[] = "/proc/sys/kernel/perf_event_paranoid";

// A pair of counters each. A virtual CPU's thread has one pair for the host, as four pairs are more than many
// CPUs have.
std::span<const CpuMode> modes_of(bool runs_guest) {
  static constexpr CpuMode kPlain[] = {CpuMode::user, CpuMode::kernel};
  static constexpr CpuMode kVirtualCpu[] = {CpuMode::host, CpuMode::guest_user, CpuMode::guest_kernel};
  if (runs_guest) return kVirtualCpu;
  return kPlain;
}

// Of a Xen PV guest, Domain-0 too, kernel and programs are in the same ring, and by rings counters filter.
bool is_xen_pv() {
  return read_kernel_file("/sys/hypervisor/guest_type").value_or("") == "PV";
}

bool lacks_right(int error_number) {
  return error_number == EACCES || error_number == EPERM;
}

std::string mend_of(int error_number) {
  if (!lacks_right(error_number))
    return "in a virtual machine, have its hypervisor offer counters (QEMU: -cpu host,pmu=on; Xen: vpmu=1)";
  return geteuid() == 0 ? "run vtax outside the container in which it is"
                        : "as root: sysctl kernel.perf_event_paranoid=1 (or run vtax as root)";
}

// 0, or errno.
int probe_mode(CpuMode mode) {
  for (const CountedEvent& event : hardware_events())
    if (const auto counter = open_counter(event, mode, 0); !counter) return counter.error();
  return 0;
}

}  // namespace

const std::vector<CountedEvent>& hardware_events() {
  static const std::vector<CountedEvent> events{
      {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, kHardwareCyclesKind},
      {PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, kHardwareInstructionsKind}};
  return events;
}

std::string_view name(CpuMode mode) {
  switch (mode) {
    case CpuMode::user:
      return "the host's user mode";
    case CpuMode::kernel:
      return "the host's kernel mode";
    case CpuMode::host:
      return "the host's work on virtual CPUs' threads";
    case CpuMode::guest_user:
      return "the guests' user mode";
    case CpuMode::guest_kernel:
      return "the guests' kernel mode";
  }
  return "?";
}

std::string why_no_counter(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case EOPNOTSUPP:
      return "this computer has no such counter, or its hypervisor offers none";
    case ENOSYS:
      return "the kernel has no perf events";
    case EINVAL:
      return "the counters of this CPU have no such filter";
    case EBUSY:
      return "another program has the counters for itself";
    case EMFILE:
    case ENFILE:
      return "too many files are open (ulimit -n)";
    case EACCES:
    case EPERM:
      return fmt::format("the kernel does not allow it (kernel.perf_event_paranoid is {})",
                         read_kernel_file(kParanoidFile).value_or("not there"));
    default:
      return std::strerror(error_number);
  }
}

ThreadCounters::ThreadCounters(std::vector<CountedEvent> events, const std::vector<Thread>& threads)
    : events_(std::move(events)) {
  for (const Thread& thread : threads)
    for (const CpuMode mode : modes_of(thread.runs_guest)) {
      if (refused_.contains(mode) || open_group(thread.number, mode)) continue;
      std::erase_if(groups_, [&](const Group& group) { return group.mode == mode; });
    }
}

// False: the mode is refused.
bool ThreadCounters::open_group(int thread, CpuMode mode) {
  Group group{thread, mode, {}};
  for (const CountedEvent& event : events_) {
    auto counter =
        open_counter(event, mode, thread, group.counters.empty() ? -1 : group.counters.front().get());
    if (!counter && counter.error() == ESRCH) return true;
    if (!counter) {
      refused_[mode] = why_no_counter(counter.error());
      return false;
    }
    group.counters.push_back(std::move(*counter));
  }
  groups_.push_back(std::move(group));
  return true;
}

CounterReading ThreadCounters::read() const {
  CounterReading reading;
  reading.not_seen = refused_;
  for (const Group& group : groups_) {
    CounterReading::Row row{group.thread, group.mode, {}, 0, 0};
    for (const Descriptor& counter : group.counters) {
      const auto now = read_counter(counter.get());
      if (!now) {
        reading.not_seen[group.mode] = now.error().why;
        break;
      }
      const auto value = without_waiting(*now);
      if (!value) {
        reading.not_seen[group.mode] = "others had the counters all the time";
        break;
      }
      row.enabled_ns = now->enabled_ns;
      row.running_ns = now->running_ns;
      row.values.push_back(*value);
    }
    if (row.values.size() == events_.size()) reading.rows.push_back(std::move(row));
  }
  std::erase_if(reading.rows,
                [&](const CounterReading::Row& row) { return reading.not_seen.contains(row.mode); });
  return reading;
}

CounterCheck examine_hardware_counters() {
  if (is_xen_pv())
    return {false, false,
            "on Xen's PV kernels, which run in the ring of their programs, counters tell nothing apart",
            "boot a PVH Domain-0 (dom0=pvh)"};
  const int user = probe_mode(CpuMode::user);
  if (user != 0) return {false, false, why_no_counter(user), mend_of(user)};
  const int kernel = probe_mode(CpuMode::kernel);
  if (kernel != 0)
    return {true, false, "of programs alone; not of the kernel: " + why_no_counter(kernel), mend_of(kernel)};
  return {true, true, "cycles and instructions of programs and of the kernel", ""};
}

}  // namespace vtax::meter
