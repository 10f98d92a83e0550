#include "meter/clock_programs.h"

#include <cstddef>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "meter/bpf.h"
#include "meter/cpu_clock.h"
#include "meter/kernel_types.h"

namespace vtax::meter {
namespace {

using bpf::Assembler;

constexpr std::int16_t kSinceOf = offsetof(ClockState, since_ns), kTurnedOf = offsetof(ClockState, turned_ns),
                       kModeOf = offsetof(ClockState, mode), kCameOf = offsetof(ClockState, came),
                       kLeftOf = offsetof(ClockState, left), kInterruptOf = offsetof(ClockState, interrupt),
                       kEpochOf = offsetof(ClockState, epoch), kBetweenOf = offsetof(ClockState, between),
                       kSendsOf = offsetof(ClockState, sends), kSegmentsOf = offsetof(ClockState, segments),
                       kFreesOf = offsetof(ClockState, frees), kLostOf = offsetof(ClockState, lost_ns),
                       kPollOf = offsetof(ClockState, poll_ns), kFreeingOf = offsetof(ClockState, freeing_ns);

constexpr std::int16_t kKeyAt = -48, kNanosecondsAt = -64, kAddedSegmentsAt = -56, kReadAt = -72,
                       kNamespaceAt = -80, kIndexAt = -76, kPacketAt = -88;

constexpr std::int32_t kNetTx = 2, kNetRx = 3;  // softirqs, by number

constexpr std::int32_t mode_number(ClockMode mode) {
  return static_cast<std::int32_t>(mode);
}

// The programs. Stack: -8 a map's key; the rest where the constants above say, a device in two parts.
class ClockPrograms {
 public:
  ClockMaps maps;
  struct Offsets {
    std::uint32_t skb_device = 0, skb_came = 0, skb_head = 0, skb_end = 0, shared_segments = 0,
                  device_net = 0, device_index = 0, net_number = 0, device_operations = 0,
                  operations_kind = 0, napi_device = 0;
  } offsets;

  // The thread's own time ends with it, and the next one's begins.
  [[nodiscard]] std::vector<bpf_insn> switches() const {
    Assembler code;
    const std::size_t none = state(code);
    charge(code);
    leave_softirq(code);
    code.store_constant(BPF_W, 8, kInterruptOf, 0);
    code.land({none});
    return code.end();
  }

  [[nodiscard]] std::vector<bpf_insn> softirq_begins() const {
    // Besides: TIMER, TASKLET and HRTIMER, in which TCP repeats, sends on and paces.
    constexpr std::int32_t kWatched[] = {kNetTx, kNetRx, 1, 6, 8};
    Assembler code;
    code.load(BPF_DW, 6, 1, 0);
    std::vector<std::size_t> watched;
    for (const std::int32_t softirq : kWatched) watched.push_back(code.jump_if(BPF_JEQ, 6, softirq));
    const std::size_t other = code.jump();
    for (const std::size_t jump : watched) code.land({jump});
    const std::size_t none = state(code);
    charge(code);
    leave_softirq(code);
    code.store_constant(BPF_W, 8, kModeOf, mode_number(ClockMode::other_softirq));
    for (const auto& [softirq, field] : {std::pair{kNetTx, kSendsOf}, {kNetRx, kBetweenOf}}) {
      const std::size_t another = code.jump_if(BPF_JNE, 6, softirq);
      code.store_constant(BPF_W, 8, kModeOf, mode_number(ClockMode::packets));
      code.store_constant(BPF_W, 8, field, 1);
      code.land({another});
    }
    code.land({other, none});
    return code.end();
  }

  [[nodiscard]] std::vector<bpf_insn> softirq_ends() const {
    Assembler code;
    const std::size_t none = state(code);
    const std::size_t outside = unless_softirq(code);
    give_back(code, kPollOf);
    code.load(BPF_W, 1, 8, kSendsOf);
    const std::size_t receives = code.jump_if(BPF_JEQ, 1, 0);
    give_back(code, kFreeingOf);
    code.land({receives});
    charge(code, Segments::counted);
    leave_softirq(code);
    code.land({none, outside});
    return code.end();
  }

  [[nodiscard]] std::vector<bpf_insn> packet_comes() const {
    Assembler code;
    const auto [none, outside] = begin_packet(code);
    code.load(BPF_W, 1, 8, kBetweenOf);
    const std::size_t in_hand = code.jump_if(BPF_JEQ, 1, 0);
    give_back(code, kPollOf);
    store_device(code, kCameOf);
    charge(code);
    const std::size_t begins = code.jump();
    code.land({in_hand});
    // The first of a softirq that does not poll: what came before it is its own.
    code.load(BPF_W, 1, 8, kCameOf + 4);
    const std::size_t not_first = code.jump_if(BPF_JNE, 1, 0);
    code.load(BPF_W, 1, 8, kLeftOf + 4);
    const std::size_t first = code.jump_if(BPF_JEQ, 1, 0);
    code.land({not_first});
    // The same packet again, handed on by what is built upon its device.
    std::vector<std::size_t> handed_on;
    read(code, 6, offsets.device_operations, 8);
    code.load(BPF_DW, 3, 10, kReadAt);
    const std::size_t plain = code.jump_if(BPF_JEQ, 3, 0);
    code.copy(6, 3);
    read(code, 6, offsets.operations_kind, 8);
    code.load(BPF_DW, 6, 10, kReadAt);
    read(code, 6, 0, 4);
    code.load(BPF_W, 1, 10, kReadAt);
    for (const std::int32_t kind : {0x64697262, 0x6e616c76, 0x646e6f62})  // "brid", "vlan", "bond"
      handed_on.push_back(code.jump_if(BPF_JEQ, 1, kind));
    code.land({plain});
    charge(code, Segments::counted);
    code.land({first, begins});
    forget_packet(code);
    store_device(code, kCameOf);
    count_segments(code);
    code.land({none, outside});
    for (const std::size_t jump : handed_on) code.land({jump});
    return code.end();
  }

  // The last device by which it leaves is the one that matters: before a bridge's port comes the bridge.
  [[nodiscard]] std::vector<bpf_insn> packet_leaves() const {
    Assembler code;
    const auto [none, outside] = begin_packet(code);
    code.load(BPF_W, 1, 8, kBetweenOf);
    const std::size_t between = code.jump_if(BPF_JNE, 1, 0);
    code.load(BPF_W, 1, 8, kCameOf + 4);
    const std::size_t passes = code.jump_if(BPF_JNE, 1, 0);
    code.load(BPF_W, 1, 8, kLeftOf + 4);
    const std::size_t first = code.jump_if(BPF_JEQ, 1, 0);
    charge(code);
    code.land({between, first});
    // A copy for another port, or what had waited for room in a queue, knows by itself where it came from.
    forget_packet(code);
    read_came(code);
    const std::size_t from_here = code.jump_if(BPF_JEQ, 1, 0);
    code.store(BPF_W, 8, kCameOf + 4, 1);
    code.load(BPF_W, 1, 10, kNamespaceAt);
    code.store(BPF_W, 8, kCameOf, 1);
    code.land({from_here, passes});
    store_device(code, kLeftOf);
    code.land({none, outside});
    return code.end();
  }

  // A poll that has handed on a packet goes on to what all packets of its device have of it.
  [[nodiscard]] std::vector<bpf_insn> packet_has_left() const {
    Assembler code;
    const std::size_t none = state(code);
    const auto [other, sends] = unless_polling(code);
    code.load(BPF_W, 1, 8, kCameOf + 4);
    const std::size_t from_here = code.jump_if(BPF_JEQ, 1, 0);
    charge(code, Segments::counted);
    forget_packet(code);
    code.store_constant(BPF_W, 8, kBetweenOf, 1);
    code.land({none, other, sends, from_here});
    return code.end();
  }

  [[nodiscard]] std::vector<bpf_insn> poll_ends() const {
    Assembler code;
    code.load(BPF_DW, 6, 1, 0);
    const std::size_t none = state(code);
    const auto [other, sends] = unless_polling(code);
    read(code, 6, offsets.napi_device, 8);
    code.load(BPF_DW, 6, 10, kReadAt);
    read_device(code);
    code.load(BPF_W, 1, 8, kBetweenOf);
    const std::size_t in_hand = code.jump_if(BPF_JEQ, 1, 0);
    give_back(code, kPollOf);
    store_device(code, kCameOf);
    code.land({in_hand});
    charge(code, Segments::counted);
    forget_packet(code);
    code.store_constant(BPF_W, 8, kBetweenOf, 1);
    code.land({none, other, sends});
    return code.end();
  }

  // Of a packet that was sent. Freeing it comes behind this.
  [[nodiscard]] std::vector<bpf_insn> packet_is_freed() const {
    Assembler code;
    code.load(BPF_DW, 6, 1, 0);
    const std::size_t none = state(code);
    code.load(BPF_W, 1, 8, kSendsOf);
    const std::size_t outside = code.jump_if(BPF_JEQ, 1, 0);
    code.store(BPF_DW, 10, kPacketAt, 6);
    read_packets_device(code);
    read_came(code);
    const std::size_t from_here = code.jump_if(BPF_JEQ, 1, 0);
    code.store(BPF_W, 10, kIndexAt, 1);
    code.load(BPF_W, 1, 8, kCameOf + 4);
    const std::size_t first = code.jump_if(BPF_JEQ, 1, 0);
    charge(code);
    code.land({first});
    forget_packet(code);
    store_device(code, kCameOf);
    give_back(code, kFreeingOf);
    code.land({none, outside, from_here});
    return code.end();
  }

  // An interrupt that leaves to NET_TX what it took from a card has freed it, as far as an interrupt may.
  [[nodiscard]] std::vector<bpf_insn> softirq_is_raised() const {
    Assembler code;
    code.load(BPF_DW, 6, 1, 0);
    const std::size_t other = code.jump_if(BPF_JNE, 6, kNetTx);
    const std::size_t none = state(code);
    code.load(BPF_W, 1, 8, kInterruptOf);
    const std::size_t outside = code.jump_if(BPF_JEQ, 1, 0);
    code.store_constant(BPF_W, 8, kFreesOf, 1);
    code.land({other, none, outside});
    return code.end();
  }

  [[nodiscard]] std::vector<bpf_insn> interrupt_begins() const {
    Assembler code;
    code.load(BPF_DW, 6, 1, 0);
    const std::size_t none = state(code);
    code.load(BPF_W, 1, 8, kBetweenOf);
    const std::size_t in_hand = code.jump_if(BPF_JEQ, 1, 0);
    code.load(BPF_W, 1, 8, kInterruptOf);
    const std::size_t nested = code.jump_if(BPF_JNE, 1, 0);
    hold(code, kPollOf);
    const std::size_t held = code.jump();
    code.land({in_hand, nested});
    charge(code);
    code.land({held});
    code.add(6, 1);
    code.store(BPF_W, 8, kInterruptOf, 6);
    code.store_constant(BPF_W, 8, kFreesOf, 0);
    code.load(BPF_W, 1, 8, kModeOf);
    const std::size_t no_guest = code.jump_if(BPF_JNE, 1, mode_number(ClockMode::guest));
    code.store_constant(BPF_W, 8, kModeOf, mode_number(ClockMode::thread));
    code.land({none, no_guest});
    return code.end();
  }

  [[nodiscard]] std::vector<bpf_insn> interrupt_ends() const {
    Assembler code;
    const std::size_t none = state(code);
    code.load(BPF_W, 1, 8, kFreesOf);
    const std::size_t freed_nothing = code.jump_if(BPF_JEQ, 1, 0);
    hold(code, kFreeingOf);
    const std::size_t held = code.jump();
    code.land({freed_nothing});
    charge(code);
    code.land({held});
    code.store_constant(BPF_W, 8, kInterruptOf, 0);
    code.store_constant(BPF_W, 8, kFreesOf, 0);
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
    // What is held belongs into the lap in which it was.
    give_back(code, kPollOf);
    give_back(code, kFreeingOf);
    charge(code);
    code.load(BPF_DW, 1, 8, kSinceOf);
    code.store(BPF_DW, 8, kTurnedOf, 1);
    code.look_up_only_value(maps.control, -8);
    const std::size_t no_control = code.jump_if(BPF_JEQ, 0, 0);
    code.load(BPF_W, 1, 0, 0);
    code.store(BPF_W, 8, kEpochOf, 1);
    code.land({none, no_control});
    return code.end();
  }

 private:
  enum class Segments { left_for_later, counted };

  // r8 = this CPU's state. The jump is taken if there is none, which the verifier wants to be thought of.
  [[nodiscard]] std::size_t state(Assembler& code) const {
    code.look_up_only_value(maps.states, -8);
    const std::size_t none = code.jump_if(BPF_JEQ, 0, 0);
    code.copy(8, 0);
    return none;
  }

  [[nodiscard]] static std::size_t unless_softirq(Assembler& code) {
    static_assert(ClockMode::packets < ClockMode::other_softirq);
    code.load(BPF_W, 1, 8, kModeOf);
    return code.jump_if(BPF_JLT, 1, mode_number(ClockMode::packets));
  }

  // NET_RX is what polls.
  [[nodiscard]] static std::pair<std::size_t, std::size_t> unless_polling(Assembler& code) {
    code.load(BPF_W, 1, 8, kModeOf);
    const std::size_t other = code.jump_if(BPF_JNE, 1, mode_number(ClockMode::packets));
    code.load(BPF_W, 1, 8, kSendsOf);
    return {other, code.jump_if(BPF_JNE, 1, 0)};
  }

  // The packet that the tracepoint names, and its device. The jumps are taken where there is no state, and
  // outside of a softirq.
  [[nodiscard]] std::pair<std::size_t, std::size_t> begin_packet(Assembler& code) const {
    code.load(BPF_DW, 6, 1, 0);
    code.store(BPF_DW, 10, kPacketAt, 6);
    const std::size_t none = state(code);
    const std::size_t outside = unless_softirq(code);
    read_packets_device(code);
    return {none, outside};
  }

  // r7 = now, less what the state's `since` said; `since` is now afterwards. The jumps are taken where there
  // is nothing: an interrupt since the clock was read has charged until its own end, or the clock starts.
  [[nodiscard]] static std::pair<std::size_t, std::size_t> take_time(Assembler& code) {
    code.call(BPF_FUNC_ktime_get_ns);
    code.copy(7, 0);
    code.load(BPF_DW, 1, 8, kSinceOf);
    const std::size_t charged = code.jump_if_less(7, 1);
    code.store(BPF_DW, 8, kSinceOf, 7);
    const std::size_t starts = code.jump_if(BPF_JEQ, 1, 0);
    code.subtract_register(7, 1);
    return {charged, starts};
  }

  // The time since then goes to `field` until it is known whose it is: give_back() puts it before the time
  // that is charged next.
  static void hold(Assembler& code, std::int16_t field) {
    const auto [charged, starts] = take_time(code);
    code.load(BPF_DW, 1, 8, field);
    code.add_register(1, 7);
    code.store(BPF_DW, 8, field, 1);
    code.land({charged, starts});
  }
  static void give_back(Assembler& code, std::int16_t field) {
    code.load(BPF_DW, 1, 8, kSinceOf);
    code.load(BPF_DW, 2, 8, field);
    code.subtract_register(1, 2);
    code.store(BPF_DW, 8, kSinceOf, 1);
    code.store_constant(BPF_DW, 8, field, 0);
  }

  // The time since then goes to what the state says, on the back of the thread that runs. Uses r7 and r9.
  void charge(Assembler& code, Segments segments = Segments::left_for_later) const {
    const auto [charged, starts] = take_time(code);
    code.call(BPF_FUNC_get_current_pid_tgid);
    code.store(BPF_DW, 10, kKeyAt, 0);
    code.store_constant(BPF_DW, 10, kAddedSegmentsAt, 0);
    code.load(BPF_W, 1, 8, kInterruptOf);
    const std::size_t interrupted = code.jump_if(BPF_JNE, 1, 0);
    code.load(BPF_W, 1, 8, kModeOf);
    code.load(BPF_W, 2, 8, kBetweenOf);
    const std::size_t in_hand = code.jump_if(BPF_JEQ, 2, 0);
    code.set(1, mode_number(ClockMode::poll));
    code.land({in_hand});
    code.store(BPF_W, 10, kKeyAt + 8, 1);
    for (std::int16_t word = 0; word < 4; ++word) {
      code.load(BPF_W, 1, 8, static_cast<std::int16_t>(kCameOf + 4 * word));
      code.store(BPF_W, 10, static_cast<std::int16_t>(kKeyAt + 12 + 4 * word), 1);
    }
    code.store_constant(BPF_W, 10, kKeyAt + 28, 0);
    if (segments == Segments::counted) {
      code.load(BPF_W, 1, 8, kSegmentsOf);
      code.store(BPF_DW, 10, kAddedSegmentsAt, 1);
    }
    const std::size_t known = code.jump();
    code.land({interrupted});
    code.add(1, -1);
    code.store(BPF_W, 10, kKeyAt + 28, 1);
    code.store_constant(BPF_W, 10, kKeyAt + 8, mode_number(ClockMode::interrupt));
    for (std::int16_t word = 0; word < 4; ++word)
      code.store_constant(BPF_W, 10, static_cast<std::int16_t>(kKeyAt + 12 + 4 * word), 0);
    code.land({known});
    code.load(BPF_W, 1, 8, kEpochOf);
    const std::size_t second = code.jump_if(BPF_JNE, 1, 0);
    code.set_map(9, maps.sums[0]);
    const std::size_t chosen = code.jump();
    code.land({second});
    code.set_map(9, maps.sums[1]);
    code.land({chosen});
    const std::size_t stored = add_to_sums(code);
    code.load(BPF_DW, 1, 8, kLostOf);
    code.add_register(1, 7);
    code.store(BPF_DW, 8, kLostOf, 1);
    code.land({charged, starts, stored});
  }

  // r7 and the segments are added to the sum of the key in the map r9. The jump is taken if there was room.
  [[nodiscard]] static std::size_t add_to_sums(Assembler& code) {
    code.copy(1, 9);
    code.copy(2, 10);
    code.add(2, kKeyAt);
    code.call(BPF_FUNC_map_lookup_elem);
    const std::size_t is_new = code.jump_if(BPF_JEQ, 0, 0);
    code.load(BPF_DW, 1, 0, offsetof(ClockSum, ns));
    code.add_register(1, 7);
    code.store(BPF_DW, 0, offsetof(ClockSum, ns), 1);
    code.load(BPF_DW, 1, 0, offsetof(ClockSum, segments));
    code.load(BPF_DW, 2, 10, kAddedSegmentsAt);
    code.add_register(1, 2);
    code.store(BPF_DW, 0, offsetof(ClockSum, segments), 1);
    code.set(0, 0);
    const std::size_t added = code.jump();
    code.land({is_new});
    code.store(BPF_DW, 10, kNanosecondsAt, 7);
    code.copy(1, 9);
    code.copy(2, 10);
    code.add(2, kKeyAt);
    code.copy(3, 10);
    code.add(3, kNanosecondsAt);
    code.set(4, BPF_ANY);
    code.call(BPF_FUNC_map_update_elem);
    code.land({added});
    return code.jump_if(BPF_JEQ, 0, 0);
  }

  static void leave_softirq(Assembler& code) {
    code.store_constant(BPF_W, 8, kModeOf, mode_number(ClockMode::thread));
    code.store_constant(BPF_W, 8, kSendsOf, 0);
    forget_packet(code);
  }

  static void forget_packet(Assembler& code) {
    for (const std::int16_t field : {kCameOf, kLeftOf})
      for (const int word : {0, 4}) code.store_constant(BPF_W, 8, static_cast<std::int16_t>(field + word), 0);
    code.store_constant(BPF_W, 8, kSegmentsOf, 0);
    code.store_constant(BPF_W, 8, kBetweenOf, 0);
  }

  // What is read: the bytes at `offset` from what the register points to; zero where nothing is.
  static void read(Assembler& code, Assembler::Register from, std::uint32_t offset, std::int32_t bytes) {
    code.store_constant(BPF_DW, 10, kReadAt, 0);
    code.copy(3, from);
    code.add(3, static_cast<std::int32_t>(offset));
    code.copy(1, 10);
    code.add(1, kReadAt);
    code.set(2, bytes);
    code.call(BPF_FUNC_probe_read_kernel);
  }

  // r6, a packet, becomes its device.
  void read_packets_device(Assembler& code) const {
    read(code, 6, offsets.skb_device, 8);
    code.load(BPF_DW, 6, 10, kReadAt);
    read_device(code);
  }

  // The key of the device at r6. Uses r7.
  void read_device(Assembler& code) const {
    read(code, 6, offsets.device_index, 4);
    code.load(BPF_W, 1, 10, kReadAt);
    code.store(BPF_W, 10, kIndexAt, 1);
    read(code, 6, offsets.device_net, 8);
    code.load(BPF_DW, 7, 10, kReadAt);
    read(code, 7, offsets.net_number, 4);
    code.load(BPF_W, 1, 10, kReadAt);
    code.store(BPF_W, 10, kNamespaceAt, 1);
  }

  // r1 = the index of the device through which the packet came; 0: it was made here.
  void read_came(Assembler& code) const {
    code.load(BPF_DW, 6, 10, kPacketAt);
    read(code, 6, offsets.skb_came, 4);
    code.load(BPF_W, 1, 10, kReadAt);
  }

  // Of the packet: those that a card or the kernel joined.
  void count_segments(Assembler& code) const {
    code.load(BPF_DW, 6, 10, kPacketAt);
    read(code, 6, offsets.skb_head, 8);
    code.load(BPF_DW, 7, 10, kReadAt);
    read(code, 6, offsets.skb_end, 4);
    code.load(BPF_W, 1, 10, kReadAt);
    code.add_register(7, 1);
    read(code, 7, offsets.shared_segments, 2);
    code.load(BPF_W, 1, 10, kReadAt);
    const std::size_t several = code.jump_if(BPF_JNE, 1, 0);
    code.set(1, 1);
    code.land({several});
    code.store(BPF_W, 8, kSegmentsOf, 1);
  }

  static void store_device(Assembler& code, std::int16_t field) {
    code.load(BPF_W, 1, 10, kNamespaceAt);
    code.store(BPF_W, 8, field, 1);
    code.load(BPF_W, 1, 10, kIndexAt);
    code.store(BPF_W, 8, static_cast<std::int16_t>(field + 4), 1);
  }
};

Result<ClockPrograms> programs_for_this_kernel(const ClockMaps& maps) {
  std::ifstream file("/sys/kernel/btf/vmlinux", std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
  const auto types =
      KernelTypes::read(ByteView(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  if (!types) return fail(bpf::cannot(kClockPurpose, "/sys/kernel/btf/vmlinux is not there"));
  ClockPrograms programs;
  programs.maps = maps;
  auto& to = programs.offsets;
  struct Member {
    const char *structure, *member;
    std::uint32_t& offset;
  };
  std::uint32_t common = 0;
  for (const Member& one : {Member{"sk_buff", "dev", to.skb_device},
                            {"sk_buff", "skb_iif", to.skb_came},
                            {"sk_buff", "head", to.skb_head},
                            {"sk_buff", "end", to.skb_end},
                            {"skb_shared_info", "gso_segs", to.shared_segments},
                            {"net_device", "nd_net", to.device_net},
                            {"net_device", "ifindex", to.device_index},
                            {"net", "ns", common},
                            {"ns_common", "inum", to.net_number},
                            {"net_device", "rtnl_link_ops", to.device_operations},
                            {"rtnl_link_ops", "kind", to.operations_kind},
                            {"napi_struct", "dev", to.napi_device}}) {
    const auto offset = types->offset_of(one.structure, one.member);
    if (!offset)
      return fail(bpf::cannot(kClockPurpose,
                              std::string("the kernel's BTF has no ") + one.structure + "." + one.member));
    one.offset = *offset;
  }
  to.net_number += common;
  return programs;
}

}  // namespace

Result<ClockCode> clock_code(const ClockMaps& maps) {
  const auto programs = programs_for_this_kernel(maps);
  if (!programs) return fail(programs.error());
  return ClockCode{{{"sched_switch", programs->switches()},
                    {"softirq_exit", programs->softirq_ends()},
                    {"netif_receive_skb", programs->packet_comes()},
                    {"net_dev_start_xmit", programs->packet_leaves()},
                    {"net_dev_xmit", programs->packet_has_left()},
                    {"napi_poll", programs->poll_ends()},
                    {"consume_skb", programs->packet_is_freed()},
                    {"kfree_skb", programs->packet_is_freed()},
                    {"softirq_raise", programs->softirq_is_raised()},
                    {"softirq_entry", programs->softirq_begins()},
                    {"irq_handler_exit", programs->interrupt_ends()},
                    {"irq_handler_entry", programs->interrupt_begins()}},
                   {{"kvm_exit", programs->changes(ClockMode::guest, ClockMode::thread)},
                    {"kvm_entry", programs->changes(ClockMode::thread, ClockMode::guest)}},
                   programs->turns_over()};
}

}  // namespace vtax::meter
