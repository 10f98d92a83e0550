#include "account/event_table.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace vtax {
namespace {

using probe::Event;
using What = CountedAt::What;

constexpr int kRcx = 1, kRdx = 2, kRsi = 6;  // arguments four, three and two of a function

using Places = std::array<CountedAt, EventKind::kMostPlaces>;

// Of the probe's events (probe/events.h), those that are a function's entry.
struct EnteredAt {
  Event event;
  Places places;
};

// Xen 4.17, arch/x86/x86_64/entry.S; Linux 5.10 to 7.2 (before 5.16 xen_syscall_target),
// arch/x86/entry/entry_64.S and arch/x86/xen/xen-asm.S. A PV guest's exceptions pass through xen_asm_* stubs
// into the same asm_* entries as on bare hardware, so only the latter are counted; system calls do not, and a
// kernel uses only one of the two.
constexpr EnteredAt kEnteredAt[] = {
    {Event::hypercalls, {{{"xen", "pv_hypercall", What::needed_entry}, {"xen", "hvm_hypercall"}}}},
    {Event::upcalls, {{{"vmlinux", "asm_exc_xen_hypervisor_callback"}}}},
    {Event::interrupts,
     {{{"vmlinux", "asm_common_interrupt", What::needed_entry}, {"xen", "do_IRQ", What::needed_entry}}}},
    {Event::system_calls,
     {{{"vmlinux", "entry_SYSCALL_64", What::needed_entry},
       {"vmlinux", "xen_entry_SYSCALL_64|xen_syscall_target"}}}},
    {Event::page_faults, {{{"vmlinux", "asm_exc_page_fault", What::needed_entry}}}},
    {Event::profile_samples, {{{"vmlinux", "perf_swevent_hrtimer"}}}},
};

constexpr EventKind kCountedByAddress[] = {
    {"event_channel_sends",
     "notifications of another domain, or of a virtual CPU of one's own",
     Handler::hypervisor,
     {},
     {{{"xen", "evtchn_send"}}}},
    {"grant_copies",
     "copies between a domain's memory and another's by the hypervisor",
     Handler::hypervisor,
     {},
     {{{"xen", "memcpy", What::entry, 0, "gnttab_copy"}}}},
    {"grant_copy_bytes",
     "what these copied",
     Handler::hypervisor,
     {},
     {{{"xen", "memcpy", What::argument, kRdx, "gnttab_copy"}}}},
    {"grant_maps",
     "another domain's pages that a driver asked to map",
     Handler::guests_kernel,
     {},
     {{{"vmlinux", "gnttab_map_refs", What::argument, kRcx}}}},
    {"grant_unmaps",
     "and to unmap",
     Handler::guests_kernel,
     {},
     {{{"vmlinux", "gnttab_unmap_refs", What::argument, kRcx}}}},
    {"doorbells",
     "devices told of new buffers: virtio's notifications, writes of a card's tail registers",
     Handler::kernel,
     {},
     {{{"virtio_pci", "vp_notify"},
       {"virtio_pci", "vp_notify_with_data"},
       {"e1000e", "e1000_xmit_frame", What::device_access},
       {"e1000e", "e1000_alloc_rx_buffers", What::device_access},
       {"e1000e", "e1000_alloc_rx_buffers_ps", What::device_access},
       {"e1000e", "e1000_alloc_jumbo_rx_buffers", What::device_access},
       {"igbvf", "igbvf_xmit_frame", What::device_access},
       {"igbvf", "igbvf_alloc_rx_buffers", What::device_access}}}},
    {"tcp_packets_sent",
     "packets that TCP hands to IP; with offloads one holds up to 64 KiB",
     Handler::kernel,
     {},
     {{{"vmlinux", "__tcp_transmit_skb"}}}},
    {"tcp_packets_received",
     "packets that IP hands to TCP",
     Handler::kernel,
     {},
     {{{"vmlinux", "tcp_v4_rcv"}, {"vmlinux", "tcp_v6_rcv"}}}},
    {"acknowledgements_sent",
     "packets of TCP that carry an acknowledgement and nothing else",
     Handler::kernel,
     {},
     {{{"vmlinux", "__tcp_send_ack.part.0|__tcp_send_ack"}}}},
    {"packets_received",
     "packets that a device, a bridge among them, hands to the network stack",
     Handler::kernel,
     {},
     {{{"vmlinux", "__netif_receive_skb_core"}}}},
    {"gro_packets",
     "packets that a driver offers for merging",
     Handler::kernel,
     {},
     {{{"vmlinux", "dev_gro_receive"}}}},
    {"gro_merges",
     "packets that were to be merged into the one before (GRO); beyond 64 KiB they are not",
     Handler::kernel,
     {},
     {{{"vmlinux", "skb_gro_receive"}, {"vmlinux", "skb_gro_receive_list"}}}},
    {"gso_splits",
     "large packets that the kernel split, as the device does not (GSO)",
     Handler::kernel,
     {},
     {{{"vmlinux", "__skb_gso_segment"}}}},
    {"napi_polls",
     "times that a network driver was asked for packets",
     Handler::kernel,
     {},
     {{{"vmlinux", "__napi_poll"}}}},
    {"wake_ups",
     "threads put on a run queue, as what they waited for has come",
     Handler::kernel,
     {},
     {{{"vmlinux", "ttwu_do_activate"}}}},
    {"bytes_copied_user",
     "what the kernel copied from and to programs",
     Handler::kernel,
     {},
     {{{"vmlinux", "copy_user_generic_string", What::argument, kRdx},
       {"vmlinux", "copy_user_generic_unrolled", What::argument, kRdx},
       {"vmlinux", "copy_user_enhanced_fast_string", What::argument, kRdx},
       {"vmlinux", "rep_movs_alternative", What::argument, kRcx},
       {"vmlinux", "__copy_user_nocache", What::argument, kRdx},
       {"vmlinux", "csum_partial_copy_generic", What::argument, kRdx}}}},
    {"bytes_copied",
     "what the kernel's memcpy and memmove copied; small copies of known length have no call",
     Handler::kernel,
     {},
     {{{"vmlinux", "memcpy", What::argument, kRdx}, {"vmlinux", "memmove", What::argument, kRdx}}}},
    {"bytes_checksummed",
     "what the kernel added up for checksums",
     Handler::kernel,
     {},
     {{{"vmlinux", "csum_partial", What::argument, kRsi},
       {"vmlinux", "csum_partial_copy_generic", What::argument, kRdx}}}},
    {"pages_allocated",
     "pages of 4 KiB that were asked for",
     Handler::kernel,
     {},
     {{{"vmlinux", "__alloc_pages_noprof|__alloc_pages", What::power_of_argument, kRsi},
       {"vmlinux", "alloc_pages_bulk_noprof|__alloc_pages_bulk", What::argument, kRcx}}}},
};

Places places_of(Event event) {
  const auto found = std::find_if(std::begin(kEnteredAt), std::end(kEnteredAt),
                                  [&](const EnteredAt& entered) { return entered.event == event; });
  return found != std::end(kEnteredAt) ? found->places : Places{};
}

std::vector<EventKind> all_kinds() {
  std::vector<EventKind> all;
  for (std::uint32_t number = 0; number < probe::kEventKinds; ++number) {
    const auto event = static_cast<Event>(number);
    const probe::EventFacts& facts = probe::kEvents[number];
    all.push_back({facts.kind, facts.meaning, facts.handler, event, places_of(event)});
  }
  all.insert(all.end(), std::begin(kCountedByAddress), std::end(kCountedByAddress));
  return all;
}

}  // namespace

std::span<const EventKind> event_kinds() {
  static const std::vector<EventKind> all = all_kinds();
  return all;
}

}  // namespace vtax
