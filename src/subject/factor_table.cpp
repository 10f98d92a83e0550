#include "subject/factor_table.h"

#include <algorithm>

#include "subject/factor_rows.h"
#include "subject/stack.h"

namespace vtax {
namespace {

using namespace rows;

// Where a factor means something.
bool is_virtual(const PlatformFacts& platform) {
  return platform.id != PlatformId::native;
}
bool is_xens(const PlatformFacts& platform) {
  return has_xen(platform.id);
}
bool is_xens_or_kvms(const PlatformFacts& platform) {
  return has_guests(platform.id);
}
// Those of xen-pvh boot, too (PlatformFacts::driver_domains), but no study may ask for them yet.
bool has_driver_domains_to_study(const PlatformFacts& platform) {
  return platform.id == PlatformId::xen_pv;
}

constexpr FactorMeaning kEverywhere, kInLab{.on_host = false}, kOnHost{.in_lab = false},
    kOfNetwork{.of_the_network = true}, kOfLink{.with_cards_alone = true, .of_the_network = true},
    kBetweenMachines{.on_host = false, .with_link_alone = true, .of_the_network = true},
    kOfMachines{
        .on_host = false, .on_platform = is_xens_or_kvms, .inside_alone = true, .of_the_network = true},
    kOfOthers{.on_host = false,
              .on_platform = is_xens_or_kvms,
              .inside_alone = true,
              .with_others_alone = true,
              .of_the_network = true},
    kOfCards{.on_host = false, .with_cards_alone = true, .of_the_network = true},
    kBetween{.on_platform = is_virtual, .of_the_network = true},
    kOfXen{.on_host = false, .on_platform = is_xens},
    kOfGuests{.on_host = false, .on_platform = is_xens_or_kvms},
    kOfDriverDomains{.on_host = false, .on_platform = has_driver_domains_to_study};

// Who reads it.
constexpr FactorReaders kByAll{.plan = true, .boot = true, .host = true}, kByAgent{.plan = true},
    kByAgentAndHost{.plan = true, .host = true}, kByBoot{.boot = true},
    kByBootAndAgent{.plan = true, .boot = true}, kByEmulator{.emulator = true},
    kByClock{.plan = true, .emulator = true}, kByHost{.host = true};

Factor row(Factor factor, FactorMeaning meaning, FactorReaders readers) {
  factor.meaning = meaning;
  factor.readers = readers;
  return factor;
}

Factor platform_row() {
  Factor factor;
  factor.name = "platform";
  factor.help = "how the workload is virtualised";
  for (const PlatformFacts& platform : kPlatformTable) factor.choices.push_back(platform.name);
  factor.get = [](const TrialSpec& spec) { return std::string(name_of(spec.platform)); };
  factor.set = [](TrialSpec& spec, std::string_view text) {
    spec.platform = platform_named(text).value_or(PlatformId::native);
  };
  factor.fallback = factor.get(TrialSpec());
  return row(std::move(factor), kEverywhere, kByAll);
}

Factor stack_row() {
  std::vector<std::string_view> choices{kOwnDistribution};
  for (const DebianRelease& release : kDebianReleases) choices.push_back(release.stack);
  return row(word<&TrialSpec::stack>(
                 FactorType::stack, "stack", std::move(choices),
                 "what the lab's machines boot: kernel, and Xen with its toolstack or KVM's QEMU"),
             kInLab, kByBoot);
}

Factor guest_kernel_row() {
  std::vector<std::string_view> choices{kSameKernel, kOwnDistribution};
  for (const DebianRelease& release : kDebianReleases) choices.push_back(release.stack);
  return row(word<&TrialSpec::guest_kernel>(
                 FactorType::stack, "guest_kernel", std::move(choices),
                 "the stack whose kernel Xen's and KVM's guests boot; same: the driver domain's"),
             kOfGuests, kByBoot);
}

template <auto field>
Factor arguments(std::string_view name, std::string_view help) {
  constexpr std::uint64_t kLongest = 400;
  return line<field>(FactorType::arguments, name, kLongest, help);
}

}  // namespace

const std::vector<Factor>& common_factors() {
  using T = TrialSpec;
  static const std::vector<Factor> all{
      platform_row(),
      row(choice<&T::topology>(
              "topology",
              "both ends inside one machine; a peer behind a network card; or a peer in another machine"),
          kEverywhere, kByBootAndAgent),
      row(either<&T::offloads>("offloads", {"on", true}, {"off", false},
                               "segmentation and receive offloads (TSO, GSO, GRO)"),
          kOfNetwork, kByAgentAndHost),
      row(count<&T::guests>(
              "guests", 1, 7,
              "systems under test that work at once, each with a partner: guests, containers or processes"),
          kEverywhere, kByAll),
      row(choice<&T::loads>(
              "loads",
              "of several guests: alike; each half of the one before; every second in the other direction"),
          kEverywhere, kByAgentAndHost),
      row(choice<&T::guest_cpu>(
              "guest_cpu",
              "of Xen's and KVM's guests: a CPU each; all on one of their own; all on the driver domain's"),
          kOfGuests, kByAgent),
      row(count<&T::guest_cpus>(
              "guest_cpus", 1, 4,
              "virtual CPUs of each of Xen's and KVM's guests, with as many queues of its card"),
          kOfGuests, kByBoot),
      row(count<&T::driver_cpus>(
              "driver_cpus", 1, 4,
              "CPUs of Xen's Domain-0 or KVM's host; driver_interrupts says what those behind the first do"),
          kOfGuests, kByBoot),
      row(choice<&T::scheduler>("scheduler", "Xen's scheduler"), kOfXen, kByBootAndAgent),
      row(count<&T::softload_percent>(
              "softload_percent", 0, 100,
              "share of its CPU that an integer loop holds beside each system's work"),
          kEverywhere, kByAgentAndHost),
      row(count<&T::cpu_mips>("cpu_mips", 50, 20'000,
                              "million instructions a second that each of the lab's CPUs executes"),
          kInLab, kByClock),
      row(count<&T::round_instructions>("round_instructions", 100, 50'000,
                                        "instructions that one of the lab's CPUs may be ahead of another"),
          kInLab, kByClock),
      row(count<&T::sampling_hz>("sampling_hz", 0, 20'000,
                                 "samples a second that a profiler takes in each system and the driver "
                                 "domain; 0: there is none"),
          kInLab, kByAgent),
      row(bytes<&T::system_window>(
              "system_window", 0, 212'992,
              "socket buffers of the system under test, and so TCP's window; 0: the kernel's own"),
          kOfNetwork, kByAgentAndHost),
      row(bytes<&T::peer_window>("peer_window", 0, 212'992, "the same of the other end"), kOfNetwork,
          kByAgentAndHost),
      row(count<&T::link_mbps>(
              "link_mbps", 0, 10'000,
              "bits of the wire, Mb/s, both ways: in the lab with cards, on the host of the peers' end; 0: "
              "none set"),
          kOfLink, kByAgentAndHost),
      row(count<&T::link_us>("link_us", 1, 10'000,
                             "microseconds that a packet takes from one machine to the other"),
          kBetweenMachines, kByAgent),
      row(count<&T::machines>(
              "machines", 1, 4,
              "alike and joined, whose guests all ask the driver domain of the first one at once"),
          kOfMachines, kByAgent),
      row(either<&T::own_guests_ask>(
              "own_guests", {"ask", true}, {"rest", false},
              "with several machines: what the guests of the first one do, whose driver domain is asked"),
          kOfOthers, kByAgent),
      row(choice<&T::forwarding>("forwarding",
                                 "what the driver domain, or a container's host, does with packets; macvtap: "
                                 "guests have taps on the card itself; vf: nothing, guests have functions of "
                                 "the card (SR-IOV)"),
          kBetween, kByAgentAndHost),
      row(count<&T::cards>(
              "cards", 1, 2,
              "with cards: the system's; 2: guests 1, 3, ... use the first, 2, 4, ... the second"),
          kOfCards, kByBootAndAgent),
      row(choice<&T::driver_interrupts>("driver_interrupts",
                                        "with several driver_cpus: cards' on the first and interfaces' on "
                                        "the others; the reverse; all on "
                                        "the first; each card's by itself"),
          kOfGuests, kByAgent),
      row(count<&T::driver_domains>(
              "driver_domains", 0, 2,
              "Xen's, besides Domain-0, with a card each and guests in turn; 0: Domain-0 drives the cards"),
          kOfDriverDomains, kByBootAndAgent),
      row(choice<&T::iommu>(
              "iommu",
              "with Xen: none; one, as driver domains have it always; strict: for Domain-0's devices too"),
          kOfDriverDomains, kByBoot),
      row(choice<&T::guest_weights>("guest_weights",
                                    "of Xen's guests, for its scheduler: alike; each half of the one before"),
          kOfXen, kByAgent),
      row(count<&T::guest_cap_percent>("guest_cap_percent", 0, 100,
                                       "most of a CPU that each of Xen's guests may have; 0: no cap"),
          kOfXen, kByAgent),
      row(count<&T::guest_memory_mib>("guest_memory_mib", 128, 2048,
                                      "memory of each of Xen's and KVM's guests at boot"),
          kOfGuests, kByBoot),
      row(count<&T::balloon_mib>(
              "balloon_mib", 0, 1024,
              "memory that each of them keeps when its balloon is blown up; 0: all that it has"),
          kOfGuests, kByAgent),
      stack_row(),
      guest_kernel_row(),
      row(arguments<&T::kernel_args>(
              "kernel_args", "behind the command line of the driver domain's kernel, natively the system's"),
          kInLab, kByBoot),
      row(arguments<&T::guest_args>("guest_args", "behind that of the kernels of Xen's and KVM's guests"),
          kOfGuests, kByBoot),
      row(arguments<&T::xen_args>("xen_args", "behind Xen's own command line"), kOfXen, kByBoot),
      row(word<&T::caches>(FactorType::caches, "caches", {"off", "epyc", "xeon-mp"},
                           "caches that the lab models, beside its counts, whose misses it tells"),
          kInLab, kByEmulator),
      row(word<&T::prices>(FactorType::prices, "prices", {"off"},
                           "at which time passes: ns of an instruction by whose code it is, and of events"),
          kInLab, kByEmulator),
      row(either<&T::schedule>("schedule", {"off", false}, {"on", true},
                               "with Xen: who ran on which CPU from when to when, kept beside the counts"),
          kOfXen, kByEmulator),
      row(either<&T::hardware_counters>(
              "hardware_counters", {"off", false}, {"on", true},
              "on the host: cycles and instructions as the CPU counts them, which costs time itself"),
          kOnHost, kByHost),
      row(count<&T::window_ms>("window_ms", 0, 60'000,
                               "on the host, where it is usually 1000: milliseconds that the amount of a "
                               "window's work is grown to; 0: as named"),
          kOnHost, kByHost),
  };
  return all;
}

const Factor* find_factor(const std::vector<Factor>& factors, std::string_view name) {
  const auto found =
      std::find_if(factors.begin(), factors.end(), [&](const Factor& f) { return f.name == name; });
  return found == factors.end() ? nullptr : &*found;
}

}  // namespace vtax
