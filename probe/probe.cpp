// The probe: a QEMU TCG plugin that counts every instruction by CPU, by the virtual CPU that was current on
// it, and by block. It reads the guest and never changes it: with or without it virtual time is the same.
//
// Which CPU runs: the one whose turn it is (turn.h). Under one TCG thread QEMU passes callbacks the index of
// the CPU that *translated* a block. Where a CPU's registers are: the generated code holds its `env` pointer
// in %rbp, which a trampoline hands on.

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "probe.h"

#ifndef __x86_64__
#error "the probe takes the running CPU from %rbp: only x86-64 measuring computers are supported"
#endif

extern "C" {
__attribute__((visibility("default"))) int qemu_plugin_version = VTAX_QEMU_PLUGIN_API;
__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t, const qemu_info_t*, int,
                                                               char**);
}

namespace vtax::probe {

Probe g;

namespace {

constexpr int kRax = 0, kRdx = 2, kRsp = 4, kRsi = 6,
              kRdi = 7;  // places in env's first array, the general registers

// ---- which CPU ------------------------------------------------------------------------------------------

// A turn's first block tells where the registers of the CPU lie whose turn it is.
void learn_registers(Cpu& cpu, const std::uint8_t* env) {
  if (cpu.env != nullptr && cpu.env != env)
    g.output.stop(State::failed, "a CPU executed in another one's turn");
  cpu.env = env;
  if (cpu.context != nullptr) return;
  ContextTable* const context = g.contexts.of(static_cast<int>(&cpu - g.cpus), 0);
  if (context == nullptr) g.output.stop(State::failed, "no address space for the tables");
  cpu.charge_to(context);
  cpu.last_context = context;
}

// ---- instructions ------------------------------------------------------------------------------------

std::uint64_t icount_of_all() {
  std::uint64_t total = 0;
  for (int i = 0; i < g.machine_cpus; ++i) total += g.cpus[i].icount();
  return total;
}

// What so many instructions of the block take at the prices.
void add_cost(Cpu& cpu, std::uint32_t block, std::int64_t instructions) {
  cpu.cost_fs += instructions * g.settings.prices.of(g.blocks[block].address);
}

// Takes back what a block that was left early did not execute.
void take_back(Cpu& cpu, std::uint64_t instructions) {
  if (g.settings.prices.on) add_cost(cpu, cpu.last.block(), -static_cast<std::int64_t>(instructions));
  std::uint64_t& charged = cpu.last_context->instructions[cpu.last.block()];
  cpu.last_low = static_cast<std::uint16_t>(cpu.last_low + instructions);
  if (charged < instructions) {  // it ran before the window opened
    g.window_base -= instructions;
    return;
  }
  charged -= instructions;
  ++g.output.header().corrected_blocks;
  g.output.header().corrected_instructions += instructions;
}

// The block before was left early, and QEMU put back the rest of it.
void left_early(Cpu& cpu, std::uint64_t rest) {
  if (rest <= cpu.last.length()) return take_back(cpu, rest);
  ++g.output.header().unexplained;
}

inline void charge(Cpu& cpu, BlockData seen, std::uint16_t low) {
  cpu.last_low = low;
  cpu.last = seen;
  cpu.last_context = cpu.context;
  cpu.instructions[seen.block()] += seen.length();
}

// An instruction in mid-block turned out to access a device: QEMU leaves the block before it and runs it
// alone, in a block of its own that calls no execution callback but does call those of memory accesses.
void executed_alone(Cpu& cpu, std::uint32_t block, const std::uint8_t* env) {
  if (g.steady == nullptr) {  // QEMU left the block in one turn and runs the instruction in the next
    learn_registers(cpu, env);
    g.env = g.steady = env;
    const std::uint16_t low = CounterSearch::read(env, g.counter_offset);
    cpu.turn_low = static_cast<std::uint16_t>(low + 1);
    g.blocks.note_device_access(block);
    if (g.settings.prices.on) add_cost(cpu, block, 1);
    return charge(cpu, BlockData(block, 1), low);
  }
  if (block == cpu.last.block()) return;  // an ordinary block of one instruction
  const int place = g.blocks.place_of(cpu.last.block(), g.blocks[block].address);
  if (place < 0) return;
  take_back(cpu, cpu.last.length() - static_cast<std::uint64_t>(place));
  cpu.last_low = static_cast<std::uint16_t>(cpu.last_low - 1);
  cpu.last = BlockData(block, 1);
  g.blocks.note_device_access(block);
  if (g.settings.prices.on) add_cost(cpu, block, 1);
  ++cpu.last_context->instructions[block];
}

// A turn's first block, and whatever a look at the counter does not settle at once.
__attribute__((noinline)) Cpu& count_with_care(BlockData seen, const std::uint8_t* env) {
  Cpu& cpu = *g.current;
  if (g.env != env) {
    learn_registers(cpu, env);
    g.env = env;
  }
  if (g.counter_offset == 0) {
    if (g.search.observe(env, seen.length())) {
      g.counter_offset = g.search.offset();
      if (g.counter_offset == 0)
        g.output.stop(State::failed,
                      "the emulator's instruction counter was not found: this QEMU is not supported");
    }
    charge(cpu, seen, 0);
    return cpu;
  }
  const std::uint16_t low = CounterSearch::read(env, g.counter_offset);
  if (g.steady == nullptr) {
    cpu.turn_low = static_cast<std::uint16_t>(low + seen.length());
    g.steady = env;
  } else if (low != cpu.expected_low(seen)) {
    left_early(cpu, static_cast<std::uint16_t>(low - cpu.expected_low(seen)));
  }
  charge(cpu, seen, low);
  return cpu;
}

// Runs with nearly every block of the machine: short on purpose, and without calls that would need a stack
// frame.
inline Cpu& count(void* data, const std::uint8_t* env) {
  const BlockData seen(data);
  if (__builtin_expect(env == g.steady, 1)) {
    Cpu& cpu = *g.current;
    const std::uint16_t low = CounterSearch::read(env, g.counter_offset);
    if (__builtin_expect(low == cpu.expected_low(seen), 1)) {
      charge(cpu, seen, low);
      return cpu;
    }
  }
  return count_with_care(seen, env);
}

// ---- turns ---------------------------------------------------------------------------------------------

void turn_begun(const Turn& turn) {
  if (turn.cpu >= g.machine_cpus) g.output.stop(State::failed, "the machine has more CPUs than QEMU said");
  g.turn = turn;
  g.current = &g.cpus[turn.cpu];
  g.env = g.steady = nullptr;
  g.current->turn_counted = g.counter_offset != 0;
  g.current->turn_low = g.current->last_low = 0;
  g.current->cost_fs = 0;
}

[[noreturn]] void stop_at_bound(const char* text, std::uint64_t bound, double unit) {
  char message[96];
  std::snprintf(message, sizeof message, text, static_cast<double>(bound) / unit);
  g.output.stop(State::limit_reached, message);
}

// QEMU's own counter has the last word: what it did not see executed was the last block's rest.
std::int64_t turn_ended(const Turn& turn) {
  Cpu& cpu = *g.current;
  if (cpu.turn_counted && cpu.in_turn() != turn.executed) {
    if (cpu.in_turn() > turn.executed)
      left_early(cpu, cpu.in_turn() - turn.executed);
    else
      ++g.output.header().unexplained;
  }
  cpu.before_turn += turn.executed;
  cpu.turn_low = cpu.last_low = 0;
  const std::uint64_t total = icount_of_all();
  g.output.header().instructions = total;
  if (g.settings.limit != 0 && total - g.limit_from > g.settings.limit)
    stop_at_bound("its bound of %.0f million instructions was reached", g.settings.limit, 1e6);
  if (g.settings.limit_ns == 0) return cpu.cost_fs;
  const std::int64_t now = turn.at(turn.executed);
  if (g.limit_from_ns == 0) g.limit_from_ns = now;
  if (now - g.limit_from_ns > static_cast<std::int64_t>(g.settings.limit_ns))
    stop_at_bound("its bound of %.3g s by its own clock was reached", g.settings.limit_ns, 1e9);
  return cpu.cost_fs;
}

// The time of the CPU whose turn it is, `from_here` instructions before the end of its block.
std::int64_t now_ns(const Cpu& cpu, std::uint64_t from_here) {
  return g.turn.at(cpu.in_turn() - from_here);
}

// ---- events, switches, markers -----------------------------------------------------------------------

std::uint64_t guest_register(const Cpu& cpu, int number) {
  std::uint64_t value = 0;
  std::memcpy(&value, cpu.env + number * 8, sizeof value);
  return value;
}

// `caller`: where the block before began.
void add_up(Cpu& cpu, const std::vector<Sum>& sums, std::uint64_t caller) {
  for (const Sum& sum : sums) {
    if (!sum.is_of(caller)) continue;
    const std::uint64_t amount = sum.amount_of(guest_register(cpu, sum.guest_register));
    cpu.context->events[kEventKinds + sum.number] += amount;
    cpu.cost_fs += static_cast<std::int64_t>(amount) * g.settings.prices.sum[sum.number];
  }
}

void count_event(Cpu& cpu, Event event) {
  const auto kind = static_cast<std::size_t>(event);
  ++cpu.context->events[kind];
  cpu.cost_fs += g.settings.prices.event[kind];
}

void context_switch(Cpu& cpu) {
  g.contexts.name_vcpu(cpu.context, guest_register(cpu, kRdi));
  ContextTable* next = g.contexts.of(cpu.context->cpu, guest_register(cpu, kRsi));
  if (next == nullptr) g.output.stop(State::failed, "no address space for the tables");
  count_event(cpu, Event::context_switches);
  cpu.next_context = next;
}

// The switch itself belongs to the virtual CPU that leaves: its state is saved and, for a guest on the CPU's
// virtualisation, its page tables are walked. From the next block on the other one is charged. `length`: of
// the block that has just begun.
void context_switched(Cpu& cpu, std::uint32_t length) {
  if (cpu.next_context != nullptr) {
    cpu.charge_to(cpu.next_context);
    if (g.settings.keeps_schedule) g.schedule.switched(cpu.context->cpu, cpu.context, now_ns(cpu, length));
  }
  cpu.next_context = nullptr;
}

// ---- guests on the CPU's virtualisation ---------------------------------------------------------------

// At VMRUN: %rax holds the guest's control block, which names its virtual CPU.
void enter_guest(Cpu& cpu) {
  ContextTable* guest = g.contexts.of(cpu.context->cpu, guest_register(cpu, kRax));
  if (guest == nullptr) g.output.stop(State::failed, "no address space for the tables");
  cpu.host_context = cpu.context;
  cpu.host_stack = guest_register(cpu, kRsp);
  cpu.charge_to(guest);
}

// Before the block behind a VMRUN is counted. In the guest other code may lie at that address; but only the
// host has its own %rsp and the guest's control block in %rax, as it had at VMRUN.
void leave_guest(Cpu& cpu) {
  const std::uint64_t vmcb = guest_register(cpu, kRax);
  if (cpu.host_context != nullptr &&
      (guest_register(cpu, kRsp) != cpu.host_stack || vmcb != cpu.context->vcpu))
    return;
  count_event(cpu, Event::vm_exits);
  if (g.vmcbs.can_read()) count_event(cpu, reason_of(g.vmcbs.exit_code(vmcb)));
  if (cpu.host_context == nullptr) return;
  cpu.charge_to(cpu.host_context);
  cpu.host_context = nullptr;
}

// Each CPU's tables may change in the slice that begins now.
void note_current_contexts() {
  for (int i = 0; i < g.machine_cpus; ++i)
    if (g.cpus[i].context != nullptr) g.cpus[i].context->in_slice = g.cpus[i].last_context->in_slice = true;
}

// Ends a slice of the timeline: `from_here` instructions of `block` belong to what follows.
void cut_timeline(const Cpu& cpu, std::uint32_t block, std::uint64_t from_here, const Slice& slice) {
  g.timeline.cut(g.contexts, g.blocks.size(), cpu.context, block, from_here, slice, now_ns(cpu, from_here));
  note_current_contexts();
}

void note_progress(const Cpu& cpu, std::uint32_t block, std::uint64_t from_here) {
  if (!g.window_open || !g.timeline.has_room()) return;
  Slice slice{};
  slice.guest = static_cast<std::uint32_t>(guest_register(cpu, kRdi));
  slice.bytes = guest_register(cpu, kRsi);
  slice.transactions = guest_register(cpu, kRdx);
  cut_timeline(cpu, block, from_here, slice);
}

void begin_window(Cpu& cpu, std::uint32_t block, std::uint64_t after) {
  if (g.window_open && g.settings.parties > 1) return;  // another party was first
  if (g.counter_offset == 0)
    g.output.stop(State::failed, "the window opened at once: no time to find the counter");
  Header& header = g.output.header();
  g.contexts.clear(g.blocks.size());
  cpu.context->instructions[block] = after;
  g.window_base = icount_of_all() - after;
  header.corrected_blocks = header.corrected_instructions = header.unexplained = 0;
  g.window_open = true;
  g.window_begin_ns = now_ns(cpu, after);
  g.timeline.begin(g.window_begin_ns);
  g.latencies.clear();
  g.schedule.begin(g.cpus, g.machine_cpus, g.window_begin_ns);
  note_current_contexts();
  g.parties_at_work = g.settings.parties;
  g.output.set(State::window_open);
}

void end_window(Cpu& cpu, std::uint32_t block, std::uint64_t from_here) {
  if (!g.window_open || --g.parties_at_work > 0) return;
  Slice last{};
  last.guest = kNobody;
  cut_timeline(cpu, block, from_here, last);
  cpu.context->instructions[block] -= from_here;
  g.output.header().window_icount = icount_of_all() - from_here - g.window_base;
  g.output.header().window_ns = static_cast<std::uint64_t>(now_ns(cpu, from_here) - g.window_begin_ns);
  g.window_open = false;
  g.limit_from = icount_of_all();
  g.limit_from_ns = now_ns(cpu, from_here);
  g.schedule.end(now_ns(cpu, from_here));
  g.output.write_window(g.contexts, g.blocks, g.timeline, g.latencies, g.schedule);
}

bool follow_turns() {
  auto* const hooks = static_cast<TurnHooks*>(dlsym(RTLD_DEFAULT, kTurnHooks));
  if (hooks == nullptr) return false;
  hooks->has_prices = g.settings.prices.on;
  hooks->begun = turn_begun;
  hooks->ended = turn_ended;
  return true;
}

}  // namespace
}  // namespace vtax::probe

using vtax::probe::Cpu;
using vtax::probe::g;

extern "C" {

__attribute__((used)) void vtax_on_block(unsigned, void* data, const std::uint8_t* env) {
  vtax::probe::count(data, env);
}

__attribute__((used)) void vtax_on_priced_block(unsigned, void* data, const std::uint8_t* env) {
  const vtax::probe::BlockData seen(data);
  vtax::probe::add_cost(vtax::probe::count(data, env), seen.block(), seen.length());
}

__attribute__((used)) void vtax_on_entry(unsigned, void* data, const std::uint8_t* env) {
  const std::uint64_t address = g.blocks[vtax::probe::BlockData(data).block()].address;
  const auto found = g.settings.entries.find(address);
  Cpu& cpu = *g.current;
  if (found != g.settings.entries.end() && found->second.behind_vmrun) {
    vtax::probe::learn_registers(cpu, env);
    vtax::probe::leave_guest(cpu);
    vtax::probe::forget_addresses(cpu);
  }
  const std::uint64_t caller = g.blocks[cpu.last.block()].address;
  vtax::probe::count(data, env);
  const std::uint32_t length = vtax::probe::BlockData(data).length();
  if (g.settings.prices.on) vtax::probe::add_cost(cpu, vtax::probe::BlockData(data).block(), length);
  if (found == g.settings.entries.end()) return;
  cpu.cost_fs += found->second.price_fs;
  if (found->second.event < vtax::probe::kEventKinds)
    vtax::probe::count_event(cpu, static_cast<vtax::probe::Event>(found->second.event));
  if (!found->second.sums.empty()) vtax::probe::add_up(cpu, found->second.sums, caller);
  if (found->second.entry == vtax::probe::Entry::context_switch) vtax::probe::context_switch(cpu);
  if (found->second.entry == vtax::probe::Entry::context_switched) vtax::probe::context_switched(cpu, length);
  if (found->second.entry == vtax::probe::Entry::vcpu_wake)
    g.schedule.woke(vtax::probe::guest_register(cpu, vtax::probe::kRdi), vtax::probe::now_ns(cpu, length));
}

__attribute__((used)) void vtax_on_instruction(unsigned, void* data, const std::uint8_t* env) {
  using vtax::probe::Mark;
  Cpu* cpu = g.current;
  if (cpu == nullptr || g.env != env) return;  // its block was counted before QEMU left it
  const auto packed = reinterpret_cast<std::uint64_t>(data);
  const auto block = static_cast<std::uint32_t>(packed & 0xffffff);
  const std::uint64_t length = packed >> 24 & 0xfff;
  const std::uint64_t place = packed >> 36 & 0xfff;
  const auto domain = static_cast<int>(packed >> 56);
  switch (static_cast<Mark>(packed >> 48 & 0xff)) {
    case Mark::page_table_switch:
      vtax::probe::count_event(*cpu, vtax::probe::Event::page_table_switches);
      vtax::probe::forget_addresses(*cpu);
      break;
    case Mark::forget_addresses:
      vtax::probe::forget_addresses(*cpu);
      break;
    case Mark::announce:
      g.contexts.announce(cpu->context, domain);
      g.output.header().marker_domains_seen |= 1ULL << domain;
      break;
    case Mark::begin:
      vtax::probe::begin_window(*cpu, block, length - 1 - place);
      break;
    case Mark::end:
      vtax::probe::end_window(*cpu, block, length - place);
      break;
    case Mark::progress:
      vtax::probe::note_progress(*cpu, block, length - place);
      break;
    case Mark::request:
      g.latencies.asked(vtax::probe::guest_register(*cpu, vtax::probe::kRdi),
                        vtax::probe::guest_register(*cpu, vtax::probe::kRsi),
                        vtax::probe::now_ns(*cpu, length - place));
      break;
    case Mark::answer:
      g.latencies.answered(vtax::probe::guest_register(*cpu, vtax::probe::kRdi),
                           vtax::probe::guest_register(*cpu, vtax::probe::kRsi),
                           vtax::probe::now_ns(*cpu, length - place));
      break;
    case Mark::latency:
      g.latencies.took(vtax::probe::guest_register(*cpu, vtax::probe::kRdi),
                       vtax::probe::guest_register(*cpu, vtax::probe::kRsi));
      break;
    case Mark::enter_guest:
      vtax::probe::enter_guest(*cpu);
      break;
  }
}

__attribute__((used)) void vtax_on_memory(unsigned, qemu_plugin_meminfo_t, std::uint64_t, void* data,
                                          const std::uint8_t* env) {
  Cpu* cpu = g.current;
  if (cpu == nullptr || g.counter_offset == 0) return;
  vtax::probe::executed_alone(*cpu, vtax::probe::BlockData(data).block(), env);
}

asm(R"(
.text
.globl vtax_block_trampoline, vtax_entry_trampoline, vtax_instruction_trampoline, vtax_memory_trampoline
.hidden vtax_block_trampoline, vtax_entry_trampoline, vtax_instruction_trampoline, vtax_memory_trampoline
.globl vtax_priced_block_trampoline
.hidden vtax_priced_block_trampoline
vtax_block_trampoline:       mov %rbp, %rdx
                             jmp vtax_on_block
vtax_priced_block_trampoline: mov %rbp, %rdx
                             jmp vtax_on_priced_block
vtax_entry_trampoline:       mov %rbp, %rdx
                             jmp vtax_on_entry
vtax_instruction_trampoline: mov %rbp, %rdx
                             jmp vtax_on_instruction
vtax_memory_trampoline:      mov %rbp, %r8
                             jmp vtax_on_memory
)");

}  // extern "C"

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t* info, int argc, char** argv) {
  using vtax::probe::State;
  int out = -1;
  int settings = -1;
  for (int i = 0; i < argc; ++i) {
    if (std::strncmp(argv[i], "out=", 4) == 0) out = std::atoi(argv[i] + 4);
    if (std::strncmp(argv[i], "settings=", 9) == 0) settings = std::atoi(argv[i] + 9);
  }
  if (std::strcmp(info->target_name, "x86_64") != 0 || !info->system_emulation) {
    std::fprintf(stderr, "vtax probe: needs qemu-system-x86_64\n");
    return 1;
  }
  if (!g.output.open(out)) {
    std::fprintf(stderr, "vtax probe: out= must name an open file\n");
    return 1;
  }
  if (const std::string error = g.settings.read(settings); !error.empty())
    g.output.stop(State::failed, error.c_str());
  if (!vtax::probe::follow_turns())
    g.output.stop(State::failed, "the emulator was started without vtax-parallel-time.so");
  if (g.settings.caches.line_bytes != 0) {
    g.caches.start(g.settings.caches);
    g.contexts.count_caches();
  }
  if (info->system.smp_vcpus > vtax::probe::kMaxCpus)
    g.output.stop(State::failed, "more CPUs than the probe has room for");
  g.machine_cpus = info->system.smp_vcpus;
  if (g.caches.on())
    for (int i = 0; i < g.machine_cpus; ++i) g.caches.add_cpu();
  qemu_plugin_register_vcpu_tb_trans_cb(id, vtax::probe::on_translation);
  return 0;
}
