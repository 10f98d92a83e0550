#include "meter/cpu_clock.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <utility>

#include "meter/bpf.h"
#include "meter/kernel_types.h"

namespace vtax::meter {
namespace {

using bpf::Assembler;

constexpr const char* kClockPurpose = "clock what the CPUs do";
constexpr std::uint32_t kMostClockKeys = 16384;
constexpr ino_t kFirstProcessNamespace = 0xEFFFFFFC;  // PROC_PID_INIT_INO of Linux

// A CPU's state. The thread is not in it, but asked for when its time ends: not every kernel traces every
// switch, and a thread that is remembered would then have its follower's time for as long as no other comes.
struct ClockState {
  std::uint64_t since_ns, turned_ns;
  std::uint32_t mode, came[2], left[2], interrupt;  // interrupt: its number and one
  std::uint32_t epoch, unused;
  std::uint64_t lost_ns;
};
static_assert(sizeof(ClockState) == 56);

// Threads and processes are in the kernel's order: pid, tgid.
struct ClockSumKey {
  std::uint32_t thread, process, mode, came[2], left[2], interrupt;
};
static_assert(sizeof(ClockSumKey) == 32);

constexpr std::int16_t kSinceOf = offsetof(ClockState, since_ns), kTurnedOf = offsetof(ClockState, turned_ns),
                       kModeOf = offsetof(ClockState, mode), kCameOf = offsetof(ClockState, came),
                       kLeftOf = offsetof(ClockState, left), kInterruptOf = offsetof(ClockState, interrupt),
                       kEpochOf = offsetof(ClockState, epoch), kLostOf = offsetof(ClockState, lost_ns);

constexpr std::int32_t mode_number(ClockMode mode) {
  return static_cast<std::int32_t>(mode);
}

// The programs. Stack: -8 a map's key, -48..-16 a sum's key, -56 its value, -64 what was read, -72 a device.
class ClockPrograms {
 public:
  int states = -1, control = -1, sums[2] = {-1, -1};
  std::uint32_t skb_device = 0, device_net = 0, device_index = 0, net_number = 0, device_operations = 0,
                operations_kind = 0;

  // The thread's own time ends with it, and the next one's begins.
  [[nodiscard]] std::vector<bpf_insn> switches() const {
    Assembler code;
    const std::size_t none = state(code);
    charge(code);
    forget_packet(code);
    code.store_constant(BPF_W, 8, kModeOf, mode_number(ClockMode::thread));
    code.store_constant(BPF_W, 8, kInterruptOf, 0);
    code.land({none});
    return code.end();
  }

  [[nodiscard]] std::vector<bpf_insn> softirq_begins() const {
    // NET_TX and NET_RX; TIMER, TASKLET and HRTIMER, in which TCP repeats, sends on and paces.
    constexpr int kOfPackets[] = {2, 3}, kOthers[] = {1, 6, 8};
    Assembler code;
    code.load(BPF_DW, 6, 1, 0);
    code.set(7, mode_number(ClockMode::packets));
    std::vector<std::size_t> watched;
    for (const int softirq : kOfPackets) watched.push_back(code.jump_if(BPF_JEQ, 6, softirq));
    code.set(7, mode_number(ClockMode::other_softirq));
    for (const int softirq : kOthers) watched.push_back(code.jump_if(BPF_JEQ, 6, softirq));
    const std::size_t other = code.jump();
    for (const std::size_t jump : watched) code.land({jump});
    code.copy(6, 7);
    const std::size_t none = state(code);
    charge(code);
    code.store(BPF_W, 8, kModeOf, 6);
    forget_packet(code);
    code.land({other, none});
    return code.end();
  }

  [[nodiscard]] std::vector<bpf_insn> softirq_ends() const {
    Assembler code;
    const std::size_t none = state(code);
    const std::size_t outside = unless_softirq(code);
    charge(code);
    code.store_constant(BPF_W, 8, kModeOf, mode_number(ClockMode::thread));
    forget_packet(code);
    code.land({none, outside});
    return code.end();
  }

  [[nodiscard]] std::vector<bpf_insn> packet_comes() const {
    Assembler code;
    const auto [none, outside] = begin_packet(code);
    // The first: what came before it is its own.
    code.load(BPF_W, 1, 8, kCameOf + 4);
    const std::size_t not_first = code.jump_if(BPF_JNE, 1, 0);
    code.load(BPF_W, 1, 8, kLeftOf + 4);
    const std::size_t first = code.jump_if(BPF_JEQ, 1, 0);
    code.land({not_first});
    // The same packet again, handed on by what is built upon its device.
    std::vector<std::size_t> handed_on;
    read(code, 6, device_operations, 8);
    code.load(BPF_DW, 3, 10, -64);
    const std::size_t plain = code.jump_if(BPF_JEQ, 3, 0);
    code.copy(6, 3);
    read(code, 6, operations_kind, 8);
    code.load(BPF_DW, 6, 10, -64);
    read(code, 6, 0, 4);
    code.load(BPF_W, 1, 10, -64);
    for (const std::int32_t kind : {0x64697262, 0x6e616c76, 0x646e6f62})  // "brid", "vlan", "bond"
      handed_on.push_back(code.jump_if(BPF_JEQ, 1, kind));
    code.land({plain});
    charge(code);
    code.land({first});
    store_device(code, kCameOf);
    code.store_constant(BPF_W, 8, kLeftOf, 0);
    code.store_constant(BPF_W, 8, kLeftOf + 4, 0);
    code.land({none, outside});
    for (const std::size_t jump : handed_on) code.land({jump});
    return code.end();
  }

  // The last device by which it leaves is the one that matters: before a bridge's port comes the bridge.
  [[nodiscard]] std::vector<bpf_insn> packet_leaves() const {
    Assembler code;
    const auto [none, outside] = begin_packet(code);
    code.load(BPF_W, 1, 8, kCameOf + 4);
    const std::size_t passes = code.jump_if(BPF_JNE, 1, 0);
    code.load(BPF_W, 1, 8, kLeftOf + 4);
    const std::size_t first = code.jump_if(BPF_JEQ, 1, 0);
    charge(code);
    code.land({passes, first});
    store_device(code, kLeftOf);
    code.land({none, outside});
    return code.end();
  }

  [[nodiscard]] std::vector<bpf_insn> interrupt_begins() const {
    Assembler code;
    code.load(BPF_DW, 6, 1, 0);
    const std::size_t none = state(code);
    charge(code);
    code.add(6, 1);
    code.store(BPF_W, 8, kInterruptOf, 6);
    code.load(BPF_W, 1, 8, kModeOf);
    const std::size_t no_guest = code.jump_if(BPF_JNE, 1, mode_number(ClockMode::guest));
    code.store_constant(BPF_W, 8, kModeOf, mode_number(ClockMode::thread));
    code.land({none, no_guest});
    return code.end();
  }

  [[nodiscard]] std::vector<bpf_insn> interrupt_ends() const {
    Assembler code;
    const std::size_t none = state(code);
    charge(code);
    code.store_constant(BPF_W, 8, kInterruptOf, 0);
    code.land({none});
    return code.end();
  }

  [[nodiscard]] std::vector<bpf_insn> changes(ClockMode from, ClockMode to) const {
    Assembler code;
    const std::size_t none = state(code);
    code.load(BPF_W, 1, 8, kModeOf);
    const std::size_t other = code.jump_if(BPF_JNE, 1, mode_number(from));
    charge(code);
    code.store_constant(BPF_W, 8, kModeOf, mode_number(to));
    code.land({none, other});
    return code.end();
  }

  [[nodiscard]] std::vector<bpf_insn> turns_over() const {
    Assembler code;
    const std::size_t none = state(code);
    charge(code);
    code.load(BPF_DW, 1, 8, kSinceOf);
    code.store(BPF_DW, 8, kTurnedOf, 1);
    code.look_up_only_value(control, -8);
    const std::size_t no_control = code.jump_if(BPF_JEQ, 0, 0);
    code.load(BPF_W, 1, 0, 0);
    code.store(BPF_W, 8, kEpochOf, 1);
    code.land({none, no_control});
    return code.end();
  }

 private:
  // r8 = this CPU's state. The jump is taken if there is none, which the verifier wants to be thought of.
  [[nodiscard]] std::size_t state(Assembler& code) const {
    code.look_up_only_value(states, -8);
    const std::size_t none = code.jump_if(BPF_JEQ, 0, 0);
    code.copy(8, 0);
    return none;
  }

  [[nodiscard]] static std::size_t unless_softirq(Assembler& code) {
    code.load(BPF_W, 1, 8, kModeOf);
    return code.jump_if(BPF_JLT, 1, mode_number(ClockMode::packets));
  }

  // stack[-72] = the device of the packet that the tracepoint names. The jumps are taken where there is no
  // state, and outside of a softirq.
  [[nodiscard]] std::pair<std::size_t, std::size_t> begin_packet(Assembler& code) const {
    code.load(BPF_DW, 6, 1, 0);
    const std::size_t none = state(code);
    const std::size_t outside = unless_softirq(code);
    read_device(code);
    return {none, outside};
  }

  // The time since the state's `since` goes to what it says, on the back of the thread that runs; `since` is
  // now afterwards. Uses r7 and r9.
  void charge(Assembler& code) const {
    code.call(BPF_FUNC_ktime_get_ns);
    code.copy(7, 0);
    code.load(BPF_DW, 1, 8, kSinceOf);
    // An interrupt since the clock was read has charged until its own end.
    const std::size_t charged = code.jump_if_less(7, 1);
    code.store(BPF_DW, 8, kSinceOf, 7);
    const std::size_t starts = code.jump_if(BPF_JEQ, 1, 0);
    code.subtract_register(7, 1);
    code.call(BPF_FUNC_get_current_pid_tgid);
    code.store(BPF_DW, 10, -48, 0);
    code.load(BPF_W, 1, 8, kInterruptOf);
    const std::size_t interrupted = code.jump_if(BPF_JNE, 1, 0);
    code.load(BPF_W, 1, 8, kModeOf);
    code.store(BPF_W, 10, -40, 1);
    for (std::int16_t word = 0; word < 4; ++word) {
      code.load(BPF_W, 1, 8, static_cast<std::int16_t>(kCameOf + 4 * word));
      code.store(BPF_W, 10, static_cast<std::int16_t>(-36 + 4 * word), 1);
    }
    code.store_constant(BPF_W, 10, -20, 0);
    const std::size_t known = code.jump();
    code.land({interrupted});
    code.add(1, -1);
    code.store(BPF_W, 10, -20, 1);
    code.store_constant(BPF_W, 10, -40, mode_number(ClockMode::interrupt));
    for (std::int16_t word = 0; word < 4; ++word)
      code.store_constant(BPF_W, 10, static_cast<std::int16_t>(-36 + 4 * word), 0);
    code.land({known});
    code.load(BPF_W, 1, 8, kEpochOf);
    const std::size_t second = code.jump_if(BPF_JNE, 1, 0);
    code.set_map(9, sums[0]);
    const std::size_t chosen = code.jump();
    code.land({second});
    code.set_map(9, sums[1]);
    code.land({chosen});
    const std::size_t added = code.add_to_sum([&] { code.copy(1, 9); }, -48, -56);
    const std::size_t stored = code.jump_if(BPF_JEQ, 0, 0);
    code.load(BPF_DW, 1, 8, kLostOf);
    code.add_register(1, 7);
    code.store(BPF_DW, 8, kLostOf, 1);
    code.land({charged, starts, added, stored});
  }

  static void forget_packet(Assembler& code) {
    for (const std::int16_t field : {kCameOf, kLeftOf})
      for (const int word : {0, 4}) code.store_constant(BPF_W, 8, static_cast<std::int16_t>(field + word), 0);
  }

  // stack[-64] = the bytes at `offset` from what the register points to; zero where nothing is.
  static void read(Assembler& code, Assembler::Register from, std::uint32_t offset, std::int32_t bytes) {
    code.store_constant(BPF_DW, 10, -64, 0);
    code.copy(3, from);
    code.add(3, static_cast<std::int32_t>(offset));
    code.copy(1, 10);
    code.add(1, -64);
    code.set(2, bytes);
    code.call(BPF_FUNC_probe_read_kernel);
  }

  // r6, a packet, becomes its device, stack[-72] the device's key.
  void read_device(Assembler& code) const {
    read(code, 6, skb_device, 8);
    code.load(BPF_DW, 6, 10, -64);
    read(code, 6, device_index, 4);
    code.load(BPF_W, 1, 10, -64);
    code.store(BPF_W, 10, -68, 1);
    read(code, 6, device_net, 8);
    code.load(BPF_DW, 7, 10, -64);
    read(code, 7, net_number, 4);
    code.load(BPF_W, 1, 10, -64);
    code.store(BPF_W, 10, -72, 1);
  }

  static void store_device(Assembler& code, std::int16_t field) {
    code.load(BPF_W, 1, 10, -72);
    code.store(BPF_W, 8, field, 1);
    code.load(BPF_W, 1, 10, -68);
    code.store(BPF_W, 8, static_cast<std::int16_t>(field + 4), 1);
  }
};

Result<ClockPrograms> programs_for_this_kernel() {
  std::ifstream file("/sys/kernel/btf/vmlinux", std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
  const auto types =
      KernelTypes::read(ByteView(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  if (!types) return fail(bpf::cannot(kClockPurpose, "/sys/kernel/btf/vmlinux is not there"));
  const auto device = types->offset_of("sk_buff", "dev"), net = types->offset_of("net_device", "nd_net"),
             index = types->offset_of("net_device", "ifindex"), common = types->offset_of("net", "ns"),
             number = types->offset_of("ns_common", "inum"),
             operations = types->offset_of("net_device", "rtnl_link_ops"),
             kind = types->offset_of("rtnl_link_ops", "kind");
  if (!device || !net || !index || !common || !number || !operations || !kind)
    return fail(bpf::cannot(kClockPurpose, "the kernel's BTF lacks what is needed of packets"));
  ClockPrograms programs;
  programs.skb_device = *device;
  programs.device_net = *net;
  programs.device_index = *index;
  programs.net_number = *common + *number;
  programs.device_operations = *operations;
  programs.operations_kind = *kind;
  return programs;
}

ClockKey key_of(const ClockSumKey& key) {
  return {key.thread,
          key.process,
          static_cast<ClockMode>(key.mode),
          {key.came[0], key.came[1]},
          {key.left[0], key.left[1]},
          key.interrupt};
}

}  // namespace

Result<CpuClock> CpuClock::start() {
  struct stat own {};
  if (stat("/proc/self/ns/pid", &own) != 0 || own.st_ino != kFirstProcessNamespace)
    return fail(bpf::cannot(kClockPurpose, "this process namespace numbers its threads by itself"));
  auto programs = programs_for_this_kernel();
  if (!programs) return fail(programs.error());
  CpuClock clock;
  clock.possible_cpus_ = bpf::count_possible_cpus();
  auto states = bpf::make_map(kClockPurpose, BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(ClockState), 1);
  if (!states) return fail(states.error());
  clock.states_ = std::move(*states);
  auto control = bpf::make_map(kClockPurpose, BPF_MAP_TYPE_ARRAY, 4, 4, 1);
  if (!control) return fail(control.error());
  clock.control_ = std::move(*control);
  programs->states = clock.states_.get();
  programs->control = clock.control_.get();
  for (int epoch = 0; epoch < 2; ++epoch) {
    auto sums =
        bpf::make_map(kClockPurpose, BPF_MAP_TYPE_PERCPU_HASH, sizeof(ClockSumKey), 8, kMostClockKeys);
    if (!sums) return fail(sums.error());
    clock.sums_[epoch] = std::move(*sums);
    programs->sums[epoch] = clock.sums_[epoch].get();
  }
  auto turn_over = bpf::load_program(kClockPurpose, programs->turns_over());
  if (!turn_over) return fail(turn_over.error());
  clock.turn_over_ = std::move(*turn_over);
  const auto attach = [&](const char* tracepoint, const std::vector<bpf_insn>& code) -> Result<> {
    auto program = bpf::load_program(kClockPurpose, code);
    if (!program) return fail(program.error());
    auto link = bpf::attach(kClockPurpose, tracepoint, program->get());
    if (!link) return fail(link.error());
    clock.programs_.push_back(std::move(*program));
    clock.links_.push_back(std::move(*link));
    return {};
  };
  for (const auto& [tracepoint, code] : {std::pair{"sched_switch", programs->switches()},
                                         {"softirq_exit", programs->softirq_ends()},
                                         {"netif_receive_skb", programs->packet_comes()},
                                         {"net_dev_start_xmit", programs->packet_leaves()},
                                         {"softirq_entry", programs->softirq_begins()},
                                         {"irq_handler_exit", programs->interrupt_ends()},
                                         {"irq_handler_entry", programs->interrupt_begins()}})
    if (auto done = attach(tracepoint, code); !done) return fail(done.error());
  // KVM may not be loaded.
  clock.sees_guests_ =
      attach("kvm_exit", programs->changes(ClockMode::guest, ClockMode::thread)).has_value() &&
      attach("kvm_entry", programs->changes(ClockMode::thread, ClockMode::guest)).has_value();
  // What was counted while some of them were attached is thrown away.
  if (const auto first = clock.lap(); !first) return fail(first.error());
  return clock;
}

// ENXIO: a CPU that is offline.
Result<> CpuClock::turn_over(int cpu) const {
  bpf_attr attributes{};
  attributes.test.prog_fd = static_cast<std::uint32_t>(turn_over_.get());
  attributes.test.flags = BPF_F_TEST_RUN_ON_CPU;
  attributes.test.cpu = static_cast<std::uint32_t>(cpu);
  if (bpf::call_kernel(BPF_PROG_TEST_RUN, attributes) == 0 || errno == ENXIO) return {};
  return fail(bpf::cannot(kClockPurpose, std::string("BPF_PROG_TEST_RUN: ") + std::strerror(errno)));
}

Result<ClockLap> CpuClock::lap() {
  const std::uint32_t ended = epoch_;
  epoch_ = 1 - epoch_;
  std::uint32_t zero = 0;
  bpf_attr attributes{};
  attributes.map_fd = static_cast<std::uint32_t>(control_.get());
  attributes.key = reinterpret_cast<std::uint64_t>(&zero);
  attributes.value = reinterpret_cast<std::uint64_t>(&epoch_);
  if (bpf::call_kernel(BPF_MAP_UPDATE_ELEM, attributes) != 0)
    return fail(bpf::cannot(kClockPurpose, std::string("a BPF map: ") + std::strerror(errno)));
  for (std::size_t cpu = 0; cpu < possible_cpus_; ++cpu)
    if (auto done = turn_over(static_cast<int>(cpu)); !done) return fail(done.error());

  ClockLap lap;
  std::vector<ClockState> states(possible_cpus_);
  attributes = {};
  attributes.map_fd = static_cast<std::uint32_t>(states_.get());
  attributes.key = reinterpret_cast<std::uint64_t>(&zero);
  attributes.value = reinterpret_cast<std::uint64_t>(states.data());
  if (bpf::call_kernel(BPF_MAP_LOOKUP_ELEM, attributes) != 0)
    return fail(bpf::cannot(kClockPurpose, std::string("a BPF map: ") + std::strerror(errno)));
  for (std::size_t cpu = 0; cpu < possible_cpus_; ++cpu) {
    std::uint64_t& turned = turned_ns_[static_cast<int>(cpu)];
    if (turned != 0 && states[cpu].turned_ns > turned)
      lap.span_ns[static_cast<int>(cpu)] = states[cpu].turned_ns - turned;
    turned = states[cpu].turned_ns;
  }

  constexpr std::uint32_t kAtOnce = 4096;
  std::vector<ClockSumKey> keys(kAtOnce);
  std::vector<std::uint64_t> values(kAtOnce * possible_cpus_);
  std::uint32_t place = 0;
  bool is_first = true;
  for (std::uint32_t seen = 0; seen < kMostClockKeys;) {
    attributes = {};
    attributes.batch.map_fd = static_cast<std::uint32_t>(sums_[ended].get());
    attributes.batch.in_batch = is_first ? 0 : reinterpret_cast<std::uint64_t>(&place);
    attributes.batch.out_batch = reinterpret_cast<std::uint64_t>(&place);
    attributes.batch.keys = reinterpret_cast<std::uint64_t>(keys.data());
    attributes.batch.values = reinterpret_cast<std::uint64_t>(values.data());
    attributes.batch.count = kAtOnce;
    const bool more = bpf::call_kernel(BPF_MAP_LOOKUP_AND_DELETE_BATCH, attributes) == 0;
    if (!more && errno != ENOENT)
      return fail(bpf::cannot(kClockPurpose, std::string("a BPF map: ") + std::strerror(errno)));
    for (std::uint32_t i = 0; i < attributes.batch.count; ++i)
      for (std::size_t cpu = 0; cpu < possible_cpus_; ++cpu)
        if (const std::uint64_t ns = values[i * possible_cpus_ + cpu]; ns > 0)
          lap.times.push_back({key_of(keys[i]), static_cast<int>(cpu), ns});
    if (!more) break;
    seen += attributes.batch.count;
    is_first = false;
  }
  return lap;
}

}  // namespace vtax::meter
