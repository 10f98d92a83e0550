#include "meter/softirq_clock.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "core/files.h"
#include "meter/kernel_types.h"

namespace vtax::meter {
namespace {

constexpr std::uint32_t most_keys = 1024;
// Softirqs that work on packets: NET_TX, NET_RX; TASKLET, in which TCP sends on when a queue has let go of
// its packets; TIMER and HRTIMER, in which it repeats and paces. Those of no packet are nobody's.
constexpr int packet_softirqs[] = {1, 2, 3, 6, 8};

// A CPU's state: the softirq that it is in.
constexpr std::int16_t since_at = 0, namespace_at = 8, inside_at = 12;
constexpr std::uint32_t state_bytes = 16;

int bpf(bpf_cmd command, bpf_attr& attributes) {
  return static_cast<int>(syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

// Registers of BPF: r1..r5 arguments, r6..r9 kept over calls, r10 the stack.
class Assembler {
 public:
  using Register = std::uint8_t;

  void load(std::uint8_t size, Register to, Register from, std::int16_t offset) {
    emit(static_cast<std::uint8_t>(BPF_LDX | BPF_MEM | size), to, from, offset, 0);
  }
  void store(std::uint8_t size, Register to, std::int16_t offset, Register from) {
    emit(static_cast<std::uint8_t>(BPF_STX | BPF_MEM | size), to, from, offset, 0);
  }
  void store_constant(std::uint8_t size, Register to, std::int16_t offset, std::int32_t value) {
    emit(static_cast<std::uint8_t>(BPF_ST | BPF_MEM | size), to, 0, offset, value);
  }
  void copy(Register to, Register from) { emit(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0); }
  void set(Register to, std::int32_t value) { emit(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value); }
  void add(Register to, std::int32_t value) { emit(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, value); }
  void add_register(Register to, Register from) { emit(BPF_ALU64 | BPF_ADD | BPF_X, to, from, 0, 0); }
  void subtract_register(Register to, Register from) { emit(BPF_ALU64 | BPF_SUB | BPF_X, to, from, 0, 0); }
  void set_wide(Register to, std::uint64_t value) {
    emit(BPF_LD | BPF_DW | BPF_IMM, to, 0, 0, static_cast<std::int32_t>(value));
    emit(0, 0, 0, 0, static_cast<std::int32_t>(value >> 32));
  }
  void set_map(Register to, int map) {
    emit(BPF_LD | BPF_DW | BPF_IMM, to, BPF_PSEUDO_MAP_FD, 0, map);
    emit(0, 0, 0, 0, 0);
  }
  void call(std::int32_t helper) { emit(BPF_JMP | BPF_CALL, 0, 0, 0, helper); }

  // Jumps whose place to land comes later: land() with what these gave.
  [[nodiscard]] std::size_t jump_if(std::uint8_t condition, Register left, std::int32_t right) {
    emit(static_cast<std::uint8_t>(BPF_JMP | condition | BPF_K), left, 0, 0, right);
    return code_.size() - 1;
  }
  [[nodiscard]] std::size_t jump_if_same(Register left, Register right) {
    emit(BPF_JMP | BPF_JEQ | BPF_X, left, right, 0, 0);
    return code_.size() - 1;
  }
  [[nodiscard]] std::size_t jump() {
    emit(BPF_JMP | BPF_JA, 0, 0, 0, 0);
    return code_.size() - 1;
  }
  void land(std::initializer_list<std::size_t> jumps) {
    for (const std::size_t from : jumps) code_[from].off = static_cast<std::int16_t>(code_.size() - from - 1);
  }
  std::vector<bpf_insn> end() {
    set(0, 0);
    emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    return std::move(code_);
  }

 private:
  void emit(std::uint8_t code, Register to, Register from, std::int16_t offset, std::int32_t value) {
    bpf_insn one{};
    one.code = code;
    one.dst_reg = to & 0xf;
    one.src_reg = from & 0xf;
    one.off = offset;
    one.imm = value;
    code_.push_back(one);
  }

  std::vector<bpf_insn> code_;
};

struct Context {
  int states = -1, sums = -1;
  std::uint64_t own_device = 0, own_number = 0;                  // of the process namespace
  std::uint32_t skb_device = 0, device_net = 0, net_number = 0;  // offsets
};

// r8 = this CPU's state. The jump is taken if there is none, which the verifier wants to be thought of.
[[nodiscard]] std::size_t find_state(Assembler& code, const Context& with) {
  code.store_constant(BPF_W, 10, -4, 0);
  code.set_map(1, with.states);
  code.copy(2, 10);
  code.add(2, -4);
  code.call(BPF_FUNC_map_lookup_elem);
  const std::size_t none = code.jump_if(BPF_JEQ, 0, 0);
  code.copy(8, 0);
  return none;
}

// The time since the state's `since` goes to its namespace; `since` is now afterwards.
void charge(Assembler& code, const Context& with) {
  code.call(BPF_FUNC_ktime_get_ns);
  code.copy(7, 0);
  code.load(BPF_DW, 1, 8, since_at);
  code.store(BPF_DW, 8, since_at, 7);
  code.subtract_register(7, 1);
  code.store_constant(BPF_W, 10, -24, 0);  // the key: whose thread, which namespace
  code.load(BPF_W, 1, 8, namespace_at);
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
  code.set_map(1, with.sums);
  code.copy(2, 10);
  code.add(2, -24);
  code.call(BPF_FUNC_map_lookup_elem);
  const std::size_t is_new = code.jump_if(BPF_JEQ, 0, 0);
  code.load(BPF_DW, 1, 0, 0);
  code.add_register(1, 7);
  code.store(BPF_DW, 0, 0, 1);
  const std::size_t charged = code.jump();
  code.land({is_new});
  code.store(BPF_DW, 10, -40, 7);
  code.set_map(1, with.sums);
  code.copy(2, 10);
  code.add(2, -24);
  code.copy(3, 10);
  code.add(3, -40);
  code.set(4, BPF_ANY);
  code.call(BPF_FUNC_map_update_elem);
  code.land({charged});
}

std::vector<bpf_insn> entry_program(const Context& with) {
  Assembler code;
  code.load(BPF_DW, 6, 1, 0);  // the softirq's number
  std::vector<std::size_t> watched;
  for (const int softirq : packet_softirqs) watched.push_back(code.jump_if(BPF_JEQ, 6, softirq));
  const std::size_t other = code.jump();
  for (const std::size_t jump : watched) code.land({jump});
  const std::size_t none = find_state(code, with);
  code.call(BPF_FUNC_ktime_get_ns);
  code.store(BPF_DW, 8, since_at, 0);
  code.store_constant(BPF_W, 8, namespace_at, 0);
  code.store_constant(BPF_W, 8, inside_at, 1);
  code.land({other, none});
  return code.end();
}

std::vector<bpf_insn> exit_program(const Context& with) {
  Assembler code;
  const std::size_t none = find_state(code, with);
  code.load(BPF_W, 1, 8, inside_at);
  const std::size_t outside = code.jump_if(BPF_JEQ, 1, 0);
  charge(code, with);
  code.store_constant(BPF_W, 8, inside_at, 0);
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
  code.load(BPF_W, 1, 8, inside_at);
  const std::size_t outside = code.jump_if(BPF_JEQ, 1, 0);
  std::vector<std::size_t> known;
  if (leaves) {
    code.load(BPF_W, 1, 8, namespace_at);
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
  code.load(BPF_W, 1, 8, namespace_at);
  const std::size_t first = code.jump_if(BPF_JEQ, 1, 0);
  const std::size_t same = code.jump_if_same(1, 9);
  charge(code, with);
  code.land({first});
  code.store(BPF_W, 8, namespace_at, 9);
  code.land({none, outside, same});
  for (const std::size_t jump : known) code.land({jump});
  return code.end();
}

Error cannot_watch(const std::string& why) {
  return {"watch the network softirqs", why, "", ExitCode::unavailable};
}

Result<Descriptor> make_map(bpf_map_type type, std::uint32_t key, std::uint32_t value,
                            std::uint32_t entries) {
  bpf_attr attributes{};
  attributes.map_type = type;
  attributes.key_size = key;
  attributes.value_size = value;
  attributes.max_entries = entries;
  Descriptor map(bpf(BPF_MAP_CREATE, attributes));
  if (!map.valid()) return fail(cannot_watch(std::string("a BPF map: ") + std::strerror(errno)));
  return map;
}

Result<Descriptor> load_program(const std::vector<bpf_insn>& code) {
  static const char licence[] = "Dual MIT/GPL";
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
  attributes.insns = reinterpret_cast<std::uint64_t>(code.data());
  attributes.insn_cnt = static_cast<std::uint32_t>(code.size());
  attributes.license = reinterpret_cast<std::uint64_t>(licence);
  Descriptor program(bpf(BPF_PROG_LOAD, attributes));
  if (!program.valid()) return fail(cannot_watch(std::string("a BPF program: ") + std::strerror(errno)));
  return program;
}

Result<Descriptor> attach(const char* tracepoint, int program) {
  bpf_attr attributes{};
  attributes.raw_tracepoint.name = reinterpret_cast<std::uint64_t>(tracepoint);
  attributes.raw_tracepoint.prog_fd = static_cast<std::uint32_t>(program);
  Descriptor link(bpf(BPF_RAW_TRACEPOINT_OPEN, attributes));
  if (!link.valid())
    return fail(cannot_watch(std::string("tracepoint ") + tracepoint + ": " + std::strerror(errno)));
  return link;
}

// "0-3" or "0": per-CPU maps have a place for each CPU that could be plugged in.
std::size_t count_possible_cpus() {
  std::ifstream file("/sys/devices/system/cpu/possible");
  std::size_t first = 0, last = 0;
  char dash = 0;
  if (!(file >> first)) return 0;
  return file >> dash >> last ? last + 1 : first + 1;
}

Result<Context> context_of_this_kernel() {
  std::ifstream file("/sys/kernel/btf/vmlinux", std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
  const auto types =
      KernelTypes::read(ByteView(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  if (!types) return fail(cannot_watch("/sys/kernel/btf/vmlinux is not there"));
  const auto device = types->offset_of("sk_buff", "dev"), net = types->offset_of("net_device", "nd_net"),
             common = types->offset_of("net", "ns"), number = types->offset_of("ns_common", "inum");
  if (!device || !net || !common || !number)
    return fail(cannot_watch("the kernel's BTF lacks the packets' structures"));
  Context with;
  with.skb_device = *device;
  with.device_net = *net;
  with.net_number = *common + *number;
  struct stat own {};
  if (stat("/proc/self/ns/pid", &own) != 0) return fail(cannot_watch("/proc/self/ns/pid is not there"));
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
  auto states = make_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, state_bytes, 1);
  if (!states) return fail(states.error());
  auto sums = make_map(BPF_MAP_TYPE_PERCPU_HASH, 8, 8, most_keys);
  if (!sums) return fail(sums.error());
  clock.states_ = std::move(*states);
  clock.sums_ = std::move(*sums);
  with->states = clock.states_.get();
  with->sums = clock.sums_.get();
  for (const auto& [tracepoint, code] : {std::pair{"softirq_exit", exit_program(*with)},
                                         {"netif_receive_skb", packet_program(*with, false)},
                                         {"net_dev_start_xmit", packet_program(*with, true)},
                                         {"softirq_entry", entry_program(*with)}}) {
    auto program = load_program(code);
    if (!program) return fail(program.error());
    auto link = attach(tracepoint, program->get());
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
  for (std::uint32_t seen = 0; seen < most_keys; ++seen) {
    bpf_attr attributes{};
    attributes.map_fd = static_cast<std::uint32_t>(sums_.get());
    attributes.key = is_first ? 0 : reinterpret_cast<std::uint64_t>(key);
    attributes.next_key = reinterpret_cast<std::uint64_t>(next);
    if (bpf(BPF_MAP_GET_NEXT_KEY, attributes) != 0) break;
    std::memcpy(key, next, sizeof key);
    is_first = false;
    std::vector<std::uint64_t> values(possible_cpus_);
    attributes = {};
    attributes.map_fd = static_cast<std::uint32_t>(sums_.get());
    attributes.key = reinterpret_cast<std::uint64_t>(key);
    attributes.value = reinterpret_cast<std::uint64_t>(values.data());
    if (bpf(BPF_MAP_LOOKUP_ELEM, attributes) == 0) out[{key[0] != 0, key[1]}] = std::move(values);
  }
  return out;
}

}  // namespace vtax::meter
