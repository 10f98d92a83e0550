#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/units.h"

namespace vtax {

// Who executed (dissertation, equation 4.3). `idle`: the hypervisor while no domain's virtual CPU is
// current, or a kernel inside its own idle text. `uncharged`: executed, but by whom is not known.
// `elsewhere` (real host alone): what has nothing to do with the trial, other programs and stolen time.
enum class Layer { hypervisor, driver, kernel, program, idle, uncharged, elsewhere };

// The driver domain's layer has two parts; every other layer has none.
enum class Part { none, kernel, program };

[[nodiscard]] std::string_view name(Layer layer);
[[nodiscard]] std::string_view name(Part part);  // "" for none
[[nodiscard]] std::optional<Layer> layer_named(std::string_view text);
[[nodiscard]] std::optional<Part> part_named(std::string_view text);

// The unit of a ledger from the real host: nanoseconds of its CPUs.
inline constexpr char kCpuTimeKind[] = "cpu_ns";

// What the CPU's own counters saw on the real host; part of no total.
inline constexpr char kHardwareCyclesKind[] = "hw_cycles", kHardwareInstructionsKind[] = "hw_instructions";

// One entry of a window's ledger. `kind` is "instructions", on the real host "cpu_ns", or an event:
// hypercalls, upcalls, interrupts, page_table_switches, system_calls, page_faults, context_switches,
// vm_exits; or one of the hardware's.
struct LedgerEntry {
  static constexpr int kUnknownCpu = -1;  // of the layer `uncharged` alone

  int cpu = 0;
  std::string domain;  // "host", "Domain-0", "guest1", "idle"
  Layer layer = Layer::uncharged;
  Part part = Part::none;
  std::string kind;
  std::uint64_t value = 0;

  auto operator<=>(const LedgerEntry&) const = default;
};

// Exact instructions of one function in one window (dissertation, table 5.2).
struct FunctionCost {
  std::string domain;
  Layer layer = Layer::uncharged;
  Part part = Part::none;
  std::string image;     // "xen", "vmlinux", a module's name, "vtax", "program"
  std::string function;  // "[0x...]" where no symbol is known
  Instructions instructions;
  // How often the block at the function's first instruction was executed; a jump back to there counts as a
  // call. Nothing where the function has no symbol, and of files and machines that did not count it.
  std::optional<std::uint64_t> calls = {};

  auto operator<=>(const FunctionCost&) const = default;
};

// What a network device counted during the window (settled before and after it).
struct DeviceCount {
  std::string side;    // "system" (under test) or "peer"
  std::string domain;  // as in LedgerEntry
  std::string device;  // "eth0", "vif1.0", "xenbr0"
  Packets received, sent;
  Bytes received_bytes, sent_bytes;
};

// The work of the window. Packets are those of the system's outermost device, both directions.
struct Work {
  Bytes bytes;
  Packets packets;
  Transactions transactions;
};

// What one of the systems under test that worked at once did, and how long it took by the machine's clock.
struct GuestWork {
  std::string guest;  // "guest1", "container2", "process1"
  Bytes bytes;
  Transactions transactions;
  std::uint64_t virtual_ns = 0;

  auto operator<=>(const GuestWork&) const = default;
};

// How long one guest's requests waited for their answers in the window, by the machine's clock. Percentiles
// are nearest ranks of every single one.
struct Waiting {
  std::string guest;  // as in GuestWork
  std::uint64_t count = 0;
  std::uint64_t sum_ns = 0, least_ns = 0, p50_ns = 0, p90_ns = 0, p99_ns = 0, p999_ns = 0, most_ns = 0;

  auto operator<=>(const Waiting&) const = default;
};

// How long one CPU executed for one domain in the window, its idle loop left out. In the lab instructions
// times what each takes; may exceed the window by the round by which two CPUs' times differ.
struct Busy {
  int cpu = 0;
  std::string domain;  // as in LedgerEntry; "peer" for all of the peer's CPU
  std::uint64_t ns = 0;

  auto operator<=>(const Busy&) const = default;
};

// The window in slices that follow each other without a gap; every column has one number a slice. A row adds
// up to the ledger's entries that it stands for, of kind "instructions", on the real host "cpu_ns"; each
// entry is in one row; each guest's work adds up to its own.
struct Timeline {
  // The amounts stand in the slice at whose end the guest told them.
  struct Amounts {
    std::string guest;
    std::vector<std::uint64_t> bytes, transactions;

    auto operator<=>(const Amounts&) const = default;
  };
  // Stands for the entry of the same CPU, domain, layer and part; of layer `driver` with no part, for both
  // parts.
  struct Row {
    int cpu = 0;
    std::string domain;
    Layer layer = Layer::uncharged;
    Part part = Part::none;
    std::vector<std::uint64_t> cost;
    // Of layer `kernel`: for `program` too, and for what has no row of its own of `uncharged`. Nothing tells
    // them apart within the window.
    bool with_program = false;

    auto operator<=>(const Row&) const = default;
  };
  // What a network device counted in each slice; on the real host alone.
  struct Device {
    std::string side, domain, device;  // as DeviceCount
    std::vector<std::uint64_t> received_bytes, sent_bytes, received_packets, sent_packets, dropped_packets;

    auto operator<=>(const Device&) const = default;
  };

  std::vector<std::uint64_t> end_ns;  // since the window's begin, by the machine's own clock
  std::vector<Amounts> work;          // as Trial::guests; empty on the real host
  std::vector<Row> rows;              // in the ledger's order
  std::vector<Device> devices = {};
  bool in_time = false;  // rows are nanoseconds of CPU time

  [[nodiscard]] bool empty() const { return end_ns.empty(); }
  auto operator<=>(const Timeline&) const = default;
};

// Which virtual CPU was current on which CPU from when to when, by the machine's clock from the window's
// begin; without a break on each CPU, in the order of (begin, CPU). Two CPUs' clocks may be a round apart, so
// the last stays may end a round behind the window.
struct Schedule {
  struct Vcpu {
    std::string domain;  // as in LedgerEntry; "peer", "idle"
    int number = 0;      // in its domain, in the order in which they were first seen; of `idle` the CPU

    auto operator<=>(const Vcpu&) const = default;
  };
  struct Stay {
    int cpu = 0;
    std::uint32_t vcpu = 0;  // index into vcpus
    std::uint64_t begin_ns = 0, end_ns = 0;
    std::optional<std::uint64_t> woke_ns = {};  // of one that had slept, in the window: when it woke

    auto operator<=>(const Stay&) const = default;
  };

  std::vector<Vcpu> vcpus;
  std::vector<Stay> stays;
  std::uint64_t left_out = 0;  // the window's later stays, of which there were too many

  [[nodiscard]] bool empty() const { return stays.empty(); }
  auto operator<=>(const Schedule&) const = default;
};

// A trial's number for people, who count from 1.
[[nodiscard]] constexpr std::uint64_t number_of(std::uint64_t index) {
  return index + 1;
}

struct Trial {
  std::uint64_t index = 0;                     // place in the study's plan, from 0
  std::map<std::string, std::string> factors;  // every factor, "platform" and "workload" among them
  int repetition = 1;
  std::string error;  // empty: the trial ended; otherwise nothing below is valid
  // SHA-256 over every count of the window, finer than what follows: the same in every rerun of the lab.
  std::string digest;
  Work work;
  std::vector<DeviceCount> devices;
  std::vector<GuestWork> guests;  // adds up to `work`; empty where it was not recorded
  // Adds up to machine_total in kind "instructions". In kind "cpu_ns" its sum is the total: all CPUs' time
  // from just before the window to just after it, idle and other programs' among it.
  std::vector<LedgerEntry> ledger;
  std::vector<FunctionCost> functions;  // likewise
  std::vector<Waiting> waiting;         // by guest; empty where nothing was asked, and on the real host
  std::vector<Busy> busy;               // empty on the real host
  Timeline timeline;                    // empty where it was not recorded
  Schedule schedule;                    // empty unless it was asked for
  Instructions machine_total;           // the system under test: all CPUs but the peer's
  Instructions peer_total;              // the peer's own CPU; outside the ledger
  std::uint64_t window_virtual_ns = 0;  // the machine's own clock; on the real host the real one
  std::uint64_t elapsed_host_ns = 0;    // wall time of the whole trial on the measuring computer
  std::string provenance;               // JSON: packages with versions and SHA-256, QEMU, command line
};

// The sum of a ledger in CPU time; nothing when it is in instructions.
[[nodiscard]] std::optional<std::uint64_t> machine_cpu_ns(const Trial& trial);

// Of a run's settings: how the command line asked for them, {"set", "machine", "repetitions"}.
inline constexpr const char* kAskedFor = "asked_for";

struct Run {
  std::string study;  // its name
  std::string question;
  std::string study_source;  // the study file as it was read
  std::string settings;      // JSON: effective settings, --set included
  std::string vtax_version;
  std::string started_utc;  // ISO 8601
  std::string machine;      // JSON: facts of the measuring computer
  std::uint64_t planned_trials = 0;
  std::vector<Trial> trials;
};

}  // namespace vtax
