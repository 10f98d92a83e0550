#include "meter/softirq_clock.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "meter/bpf.h"
#include "meter/kernel_types.h"

namespace vtax::meter {
namespace {

using namespace bpf;

constexpr const char* kSoftirqPurpose = "watch the network softirqs";
constexpr std::uint32_t kMostKeys = 1024;
// Softirqs that work on packets: NET_TX, NET_RX; TASKLET, in which TCP sends on when a queue has let go of
// its packets; TIMER and HRTIMER, in which it repeats and paces. Those of no packet are nobody's.
constexpr int kPacketSoftirqs[] = {1, 2, 3, 6, 8};

// A CPU's state: the softirq that it is in.
constexpr std::int16_t kSinceAt = 0, kNamespaceAt = 8, kInsideAt = 12;
constexpr std::uint32_t kStateBytes = 16;

struct Context {
  int states = -1, sums = -1;
  std::uint64_t own_device = 0, own_number = 0;                  // of the process namespace
  std::uint32_t skb_device = 0, device_net = 0, net_number = 0;  // offsets
};

// r8 = this CPU's state. The jump is taken if there is none, which the verifier wants to be thought of.
[[nodiscard]] std::size_t find_state(Assembler& code, const Context& with) {
  code.look_up_only_value(with.states, -4);
  const std::size_t none = code.jump_if(BPF_JEQ, 0, 0);
  code.copy(8, 0);
  return none;
}

// The time since the state's `since` goes to its namespace; `since` is now afterwards.
void charge(Assembler& code, const Context& with) {
  code.call(BPF_FUNC_ktime_get_ns);
  code.copy(7, 0);
  code.load(BPF_DW, 1, 8, kSinceAt);
  code.store(BPF_DW, 8, kSinceAt, 7);
  code.subtract_register(7, 1);
  code.store_constant(BPF_W, 10, -24, 0);  // the key: whose thread, which namespace
  code.load(BPF_W, 1, 8, kNamespaceAt);
  code.store(BPF_W, 10, -20, 1);
  code.set_wide(1, with.own_device);
  code.set_wide(2, with.own_number);
  code.copy(3, 10);
  code.add(3, -32);
  code.set(4, 8);
  code.call(BPF_FUNC_get_ns_current_pid_tgid);
  const std::size_t own = code.jump_if(BPF_JEQ, 0, 0);
  // Or a vhost worker of the kernel: the reading counts its thread for its QEMU (cpu_reading.h).
  code.copy(1, 10);
  code.add(1, -56);
  code.set(2, 16);
  code.call(BPF_FUNC_get_current_comm);
  code.load(BPF_W, 1, 10, -56);
  const std::size_t no_vhos = code.jump_if(BPF_JNE, 1, 0x736f6876);
  code.load(BPF_H, 1, 10, -52);
  const std::size_t no_t = code.jump_if(BPF_JNE, 1, 0x2d74);  // "t-"
  code.land({own});
  code.store_constant(BPF_W, 10, -24, 1);
  code.land({no_vhos, no_t});
  const std::size_t charged = code.add_to_sum([&] { code.set_map(1, with.sums); }, -24, -40);
  code.land({charged});
}

std::vector<bpf_insn> entry_program(const Context& with) {
  Assembler code;
  code.load(BPF_DW, 6, 1, 0);  // the softirq's number
  std::vector<std::size_t> watched;
  for (const int softirq : kPacketSoftirqs) watched.push_back(code.jump_if(BPF_JEQ, 6, softirq));
  const std::size_t other = code.jump();
  for (const std::size_t jump : watched) code.land({jump});
  const std::size_t none = find_state(code, with);
  code.call(BPF_FUNC_ktime_get_ns);
  code.store(BPF_DW, 8, kSinceAt, 0);
  code.store_constant(BPF_W, 8, kNamespaceAt, 0);
  code.store_constant(BPF_W, 8, kInsideAt, 1);
  code.land({other, none});
  return code.end();
}

std::vector<bpf_insn> exit_program(const Context& with) {
  Assembler code;
  const std::size_t none = find_state(code, with);
  code.load(BPF_W, 1, 8, kInsideAt);
  const std::size_t outside = code.jump_if(BPF_JEQ, 1, 0);
  charge(code, with);
  code.store_constant(BPF_W, 8, kInsideAt, 0);
  code.land({none, outside});
  return code.end();
}

// stack[-16] = the `bytes` at r3.
void read_kernel(Assembler& code, std::int32_t bytes) {
  code.copy(1, 10);
  code.add(1, -16);
  code.set(2, bytes);
  code.call(BPF_FUNC_probe_read_kernel);
}

// Of a packet that came, or of one that leaves: the latter counts only where none came before, since most of
// them are the former's.
std::vector<bpf_insn> packet_program(const Context& with, bool leaves) {
  Assembler code;
  code.load(BPF_DW, 6, 1, 0);  // the packet
  const std::size_t none = find_state(code, with);
  code.load(BPF_W, 1, 8, kInsideAt);
  const std::size_t outside = code.jump_if(BPF_JEQ, 1, 0);
  std::vector<std::size_t> known;
  if (leaves) {
    code.load(BPF_W, 1, 8, kNamespaceAt);
    known.push_back(code.jump_if(BPF_JNE, 1, 0));
  }
  code.store_constant(BPF_DW, 10, -16, 0);
  code.copy(3, 6);
  for (const std::uint32_t offset : {with.skb_device, with.device_net}) {
    code.add(3, static_cast<std::int32_t>(offset));
    read_kernel(code, 8);
    code.load(BPF_DW, 3, 10, -16);
  }
  code.add(3, static_cast<std::int32_t>(with.net_number));
  read_kernel(code, 4);
  code.load(BPF_W, 9, 10, -16);
  code.load(BPF_W, 1, 8, kNamespaceAt);
  const std::size_t first = code.jump_if(BPF_JEQ, 1, 0);
  const std::size_t same = code.jump_if_same(1, 9);
  charge(code, with);
  code.land({first});
  code.store(BPF_W, 8, kNamespaceAt, 9);
  code.land({none, outside, same});
  for (const std::size_t jump : known) code.land({jump});
  return code.end();
}

Result<Context> context_of_this_kernel() {
  std::ifstream file("/sys/kernel/btf/vmlinux", std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
  const auto types =
      KernelTypes::read(ByteView(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  if (!types) return fail(cannot(kSoftirqPurpose, "/sys/kernel/btf/vmlinux is not there"));
  const auto device = types->offset_of("sk_buff", "dev"), net = types->offset_of("net_device", "nd_net"),
             common = types->offset_of("net", "ns"), number = types->offset_of("ns_common", "inum");
  if (!device || !net || !common || !number)
    return fail(cannot(kSoftirqPurpose, "the kernel's BTF lacks the packets' structures"));
  Context with;
  with.skb_device = *device;
  with.device_net = *net;
  with.net_number = *common + *number;
  struct stat own {};
  if (stat("/proc/self/ns/pid", &own) != 0)
    return fail(cannot(kSoftirqPurpose, "/proc/self/ns/pid is not there"));
  with.own_device = own.st_dev;
  with.own_number = own.st_ino;
  return with;
}

}  // namespace

Result<SoftirqClock> SoftirqClock::start() {
  SoftirqClock clock;
  clock.possible_cpus_ = count_possible_cpus();
  auto with = context_of_this_kernel();
  if (!with) return fail(with.error());
  auto states = make_map(kSoftirqPurpose, BPF_MAP_TYPE_PERCPU_ARRAY, 4, kStateBytes, 1);
  if (!states) return fail(states.error());
  auto sums = make_map(kSoftirqPurpose, BPF_MAP_TYPE_PERCPU_HASH, 8, 8, kMostKeys);
  if (!sums) return fail(sums.error());
  clock.states_ = std::move(*states);
  clock.sums_ = std::move(*sums);
  with->states = clock.states_.get();
  with->sums = clock.sums_.get();
  for (const auto& [tracepoint, code] : {std::pair{"softirq_exit", exit_program(*with)},
                                         {"netif_receive_skb", packet_program(*with, false)},
                                         {"net_dev_start_xmit", packet_program(*with, true)},
                                         {"softirq_entry", entry_program(*with)}}) {
    auto program = load_program(kSoftirqPurpose, code);
    if (!program) return fail(program.error());
    auto link = attach(kSoftirqPurpose, tracepoint, program->get());
    if (!link) return fail(link.error());
    clock.programs_.push_back(std::move(*program));
    clock.links_.push_back(std::move(*link));
  }
  return clock;
}

Result<std::map<SoftirqClock::Key, std::vector<std::uint64_t>>> SoftirqClock::read() const {
  std::map<Key, std::vector<std::uint64_t>> out;
  std::uint32_t key[2] = {}, next[2] = {};
  bool is_first = true;
  for (std::uint32_t seen = 0; seen < kMostKeys; ++seen) {
    bpf_attr attributes{};
    attributes.map_fd = static_cast<std::uint32_t>(sums_.get());
    attributes.key = is_first ? 0 : reinterpret_cast<std::uint64_t>(key);
    attributes.next_key = reinterpret_cast<std::uint64_t>(next);
    if (call_kernel(BPF_MAP_GET_NEXT_KEY, attributes) != 0) break;
    std::memcpy(key, next, sizeof key);
    is_first = false;
    std::vector<std::uint64_t> values(possible_cpus_);
    attributes = {};
    attributes.map_fd = static_cast<std::uint32_t>(sums_.get());
    attributes.key = reinterpret_cast<std::uint64_t>(key);
    attributes.value = reinterpret_cast<std::uint64_t>(values.data());
    if (call_kernel(BPF_MAP_LOOKUP_ELEM, attributes) == 0) out[{key[0] != 0, key[1]}] = std::move(values);
  }
  return out;
}

}  // namespace vtax::meter
