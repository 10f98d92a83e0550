#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "controller/trial.h"
#include "core/result.h"

namespace vtax::agent {

// What the controller's kernel (the host's, Domain-0's) counted by itself in the window, to hold the probe's
// events against. For the lab's tests; no study asks for it. The result's "counters":
//   {"Tcp.InSegs", "Tcp.OutSegs", "TcpExt.TCPOrigDataSent", ...: of all network namespaces in which a
//    program runs,
//    "softnet.processed": packets, "softirqs.NET_RX": runs, "vmstat.pgalloc": pages, "schedstat.ttwu":
//    wake-ups, "interrupts.vif": of the backends of Xen's guests}
// A number that this kernel does not show is left out.
using KernelCounters = std::map<std::string, std::uint64_t>;

// From the text of a file of /proc, added to `into`.
void read_protocol_counters(std::string_view snmp_or_netstat, KernelCounters& into);
void read_softnet(std::string_view softnet_stat, KernelCounters& into);
void read_softirqs(std::string_view softirqs, KernelCounters& into);
void read_page_allocations(std::string_view vmstat, KernelCounters& into);
void read_vif_interrupts(std::string_view interrupts, KernelCounters& into);
void read_wake_ups(std::string_view schedstat, KernelCounters& into);

class CountersOfWindow {
 public:
  // They refer to this object.
  [[nodiscard]] controller::WindowHooks hooks();

 private:
  KernelCounters before_, after_;
};

}  // namespace vtax::agent
