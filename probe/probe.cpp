// The probe: a QEMU TCG plugin that counts every instruction by CPU, by the virtual CPU that was current on
// it, and by block. It reads the guest and never changes it: with or without it virtual time is the same.
//
// Which CPU runs: under one TCG thread QEMU passes callbacks the index of the CPU that *translated* a block.
// The generated code holds its own CPU's `env` pointer in %rbp, so a trampoline hands that on.

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

// ---- which CPU, which context ------------------------------------------------------------------------

__attribute__((noinline)) Cpu* switch_to(const std::uint8_t* env) {
  g.env = env;
  for (int i = 0; i < g.cpu_count; ++i)
    if (g.cpus[i].env == env) return g.current = &g.cpus[i];
  if (g.cpu_count == kMaxCpus) g.output.stop(State::failed, "more CPUs than the probe has room for");
  Cpu& cpu = g.cpus[g.cpu_count];
  cpu.env = env;
  // Contexts are numbered by order of appearance until the CPU's own index is settled.
  ContextTable* const context = g.contexts.of(-1 - g.cpu_count, 0);
  if (context == nullptr) g.output.stop(State::failed, "no address space for the tables");
  cpu.charge_to(context);
  cpu.last_context = context;
  if (g.caches.on()) g.caches.add_cpu();
  ++g.cpu_count;
  g.careful = true;
  return g.current = &cpu;
}

void settle(Cpu& cpu, int index) {
  const int placeholder = cpu.context->cpu;
  cpu.index = index;
  for (ContextTable* context : g.contexts.all())
    if (context->cpu == placeholder) context->cpu = index;
}

bool is_taken(int index) {
  return std::any_of(g.cpus, g.cpus + g.cpu_count, [&](const Cpu& cpu) { return cpu.index == index; });
}

// A CPU that translated nothing (an idle one may run only what others have translated) is told by
// elimination.
void settle_all() {
  int left = 0;
  Cpu* last = nullptr;
  for (int i = 0; i < g.cpu_count; ++i) {
    Cpu& cpu = g.cpus[i];
    if (cpu.index >= 0) continue;
    const auto best = std::max_element(cpu.votes.begin(), cpu.votes.end());
    if (*best == 0) {
      ++left;
      last = &cpu;
      continue;
    }
    const auto index = static_cast<int>(best - cpu.votes.begin());
    if (is_taken(index) || *best < cpu.vote_count * 9 / 10)
      g.output.stop(State::failed, "a CPU's index cannot be told");
    settle(cpu, index);
  }
  if (left == 0) return;
  int free_index = -1;
  int free_indices = 0;
  for (int index = 0; index < g.machine_cpus; ++index)
    if (!is_taken(index)) free_index = index, ++free_indices;
  if (left != 1 || free_indices != 1) g.output.stop(State::failed, "a CPU's index cannot be told");
  settle(*last, free_index);
}

// The time before everything is known: a few thousand blocks after the start.
__attribute__((noinline)) void observe_carefully(Cpu& cpu, unsigned translator, std::uint32_t block,
                                                 std::uint32_t length) {
  if (block == g.fresh && translator < kMaxCpus) {
    ++cpu.votes[translator];
    ++cpu.vote_count;
  }
  g.fresh = kMaxBlocks;
  if (g.counter_offset == 0 && g.search.observe(cpu.env, length)) {
    g.counter_offset = g.search.offset();
    if (g.counter_offset == 0)
      g.output.stop(State::failed,
                    "the emulator's instruction counter was not found: this QEMU is not supported");
  }
  bool settled = g.counter_offset != 0;
  for (int i = 0; i < g.cpu_count; ++i) settled = settled && g.cpus[i].vote_count >= kVotesToSettle;
  g.careful = !settled;
}

// ---- instructions ------------------------------------------------------------------------------------

std::uint64_t icount_of_all() {
  std::uint64_t total = 0;
  for (int i = 0; i < g.cpu_count; ++i) total += g.cpus[i].icount();
  return total;
}

// Takes back what a block that was left early did not execute.
void take_back(Cpu& cpu, std::uint64_t instructions) {
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

// The counter did not go down by just this block's length since the block before: either that one faulted and
// QEMU put back the rest of it, or a new slice began.
__attribute__((noinline)) void counter_jumped(Cpu& cpu, std::uint32_t block, std::uint32_t length,
                                              std::uint16_t low) {
  const auto entry = g.settings.entries.find(g.blocks[block].address);
  if (entry != g.settings.entries.end() && entry->second.exception && !cpu.last_ran_to_its_end) {
    const auto rest = static_cast<std::uint16_t>(low - static_cast<std::uint16_t>(cpu.last_low - length));
    if (rest <= cpu.last.length()) return take_back(cpu, rest);
    ++g.output.header().slices_at_exceptions;
  }
  cpu.slices += cpu.slice_start - cpu.last_low;
  cpu.slice_start = static_cast<std::uint32_t>(low) + length;
  cpu.last_low = static_cast<std::uint16_t>(cpu.slice_start);
  const std::uint64_t total = icount_of_all();
  g.output.header().instructions = total;
  if (g.settings.limit != 0 && total - g.limit_from > g.settings.limit)
    g.output.stop(State::limit_reached, "the machine's time limit was reached");
}

// An instruction in mid-block turned out to access a device: QEMU leaves the block before it and runs it
// alone, in a block of its own that calls no execution callback but does call those of memory accesses.
void executed_alone(Cpu& cpu, std::uint32_t block) {
  if (block == cpu.last.block() || cpu.last.length() == 0) return;  // an ordinary block of one instruction
  const int place = g.blocks.place_of(cpu.last.block(), g.blocks[block].address);
  if (place < 0) return;
  take_back(cpu, cpu.last.length() - static_cast<std::uint64_t>(place));
  cpu.last_low = static_cast<std::uint16_t>(cpu.last_low - 1);
  cpu.last = BlockData(block, 1);
  ++cpu.last_context->instructions[block];
}

inline void charge(Cpu& cpu, BlockData seen, std::uint16_t low) {
  cpu.last_low = low;
  cpu.last = seen;
  cpu.last_context = cpu.context;
  cpu.instructions[seen.block()] += seen.length();
}

__attribute__((noinline)) Cpu& count_with_care(unsigned translator, BlockData seen, const std::uint8_t* env) {
  Cpu& cpu = g.env == env ? *g.current : *switch_to(env);
  if (g.careful) observe_carefully(cpu, translator, seen.block(), seen.length());
  g.steady = g.careful ? nullptr : env;
  std::uint16_t low = 0;
  if (g.counter_offset != 0) {
    low = CounterSearch::read(env, g.counter_offset);
    if (low != cpu.expected_low(seen)) counter_jumped(cpu, seen.block(), seen.length(), low);
  }
  charge(cpu, seen, low);
  return cpu;
}

// Runs with nearly every block of the machine: short on purpose, and without calls that would need a stack
// frame.
inline Cpu& count(unsigned translator, void* data, const std::uint8_t* env) {
  const BlockData seen(data);
  if (__builtin_expect(env == g.steady, 1)) {
    Cpu& cpu = *g.current;
    const std::uint16_t low = CounterSearch::read(env, g.counter_offset);
    if (__builtin_expect(low == cpu.expected_low(seen), 1)) {
      charge(cpu, seen, low);
      return cpu;
    }
  }
  return count_with_care(translator, seen, env);
}

// ---- events, switches, markers -----------------------------------------------------------------------

std::uint64_t guest_register(const Cpu& cpu, int number) {
  std::uint64_t value = 0;
  std::memcpy(&value, cpu.env + number * 8, sizeof value);
  return value;
}

void context_switch(Cpu& cpu) {
  g.contexts.name_vcpu(cpu.context, guest_register(cpu, kRdi));
  ContextTable* next = g.contexts.of(cpu.context->cpu, guest_register(cpu, kRsi));
  if (next == nullptr) g.output.stop(State::failed, "no address space for the tables");
  ++cpu.context->events[static_cast<std::size_t>(Event::context_switches)];
  cpu.next_context = next;
}

// The switch itself belongs to the virtual CPU that leaves: its state is saved and, for a guest on the CPU's
// virtualisation, its page tables are walked. From the next block on the other one is charged.
void context_switched(Cpu& cpu) {
  if (cpu.next_context != nullptr) cpu.charge_to(cpu.next_context);
  cpu.next_context = nullptr;
}

// ---- guests on the CPU's virtualisation ---------------------------------------------------------------

void count_event(ContextTable* context, Event event) {
  ++context->events[static_cast<std::size_t>(event)];
}

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
  count_event(cpu.context, Event::vm_exits);
  if (g.vmcbs.can_read()) {
    const std::uint64_t code = g.vmcbs.exit_code(vmcb);
    count_event(cpu.context, reason_of(code));
    cpu.last_ran_to_its_end = comes_between_blocks(code);
  }
  if (cpu.host_context == nullptr) return;
  cpu.charge_to(cpu.host_context);
  cpu.host_context = nullptr;
}

// Each CPU's tables may change in the slice that begins now.
void note_current_contexts() {
  for (int i = 0; i < g.cpu_count; ++i) g.cpus[i].context->in_slice = g.cpus[i].last_context->in_slice = true;
}

// Ends a slice of the timeline: `from_here` instructions of `block` belong to what follows.
void cut_timeline(const Cpu& cpu, std::uint32_t block, std::uint64_t from_here, const Slice& slice) {
  g.timeline.cut(g.contexts, g.blocks.size(), cpu.context, block, from_here, slice,
                 g.clock.at(icount_of_all() - from_here));
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
  settle_all();
  Header& header = g.output.header();
  g.contexts.clear(g.blocks.size());
  cpu.context->instructions[block] = after;
  g.window_base = icount_of_all() - after;
  header.corrected_blocks = header.corrected_instructions = header.slices_at_exceptions = 0;
  g.window_open = true;
  if (g.clock.known())
    g.timeline.begin(g.clock.at(g.window_base));
  else
    g.timeline.leave_out();
  note_current_contexts();
  g.parties_at_work = g.settings.parties;
  g.output.set(State::window_open);
}

void end_window(Cpu& cpu, std::uint32_t block, std::uint64_t from_here) {
  if (!g.window_open || --g.parties_at_work > 0) return;
  Slice last{};
  last.guest = kNobody;
  if (g.timeline.is_open()) cut_timeline(cpu, block, from_here, last);
  cpu.context->instructions[block] -= from_here;
  g.output.header().window_icount = icount_of_all() - from_here - g.window_base;
  g.window_open = false;
  g.limit_from = icount_of_all();
  g.output.write_window(g.contexts, g.blocks, g.timeline);
}

void cpus_woke() {
  if (g.counter_offset != 0) g.clock.woken(icount_of_all());
}

}  // namespace
}  // namespace vtax::probe

using vtax::probe::Cpu;
using vtax::probe::g;

extern "C" {

__attribute__((used)) void vtax_on_block(unsigned translator, void* data, const std::uint8_t* env) {
  vtax::probe::count(translator, data, env);
}

__attribute__((used)) void vtax_on_entry(unsigned translator, void* data, const std::uint8_t* env) {
  const std::uint64_t address = g.blocks[vtax::probe::BlockData(data).block()].address;
  const auto found = g.settings.entries.find(address);
  if (found != g.settings.entries.end() && found->second.behind_vmrun) {
    Cpu& host = g.env == env ? *g.current : *vtax::probe::switch_to(env);
    vtax::probe::leave_guest(host);
    vtax::probe::forget_addresses(host);
  }
  Cpu& cpu = vtax::probe::count(translator, data, env);
  cpu.last_ran_to_its_end = false;
  if (found == g.settings.entries.end()) return;
  if (found->second.event < vtax::probe::kEventKinds) ++cpu.context->events[found->second.event];
  if (found->second.entry == vtax::probe::Entry::context_switch) vtax::probe::context_switch(cpu);
  if (found->second.entry == vtax::probe::Entry::context_switched) vtax::probe::context_switched(cpu);
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
      ++cpu->context->events[static_cast<std::size_t>(vtax::probe::Event::page_table_switches)];
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
    case Mark::enter_guest:
      vtax::probe::enter_guest(*cpu);
      break;
  }
}

__attribute__((used)) void vtax_on_memory(unsigned, qemu_plugin_meminfo_t, std::uint64_t, void* data,
                                          const std::uint8_t* env) {
  Cpu* cpu = g.current;
  if (cpu == nullptr || g.env != env || g.counter_offset == 0) return;
  vtax::probe::executed_alone(*cpu, vtax::probe::BlockData(data).block());
}

asm(R"(
.text
.globl vtax_block_trampoline, vtax_entry_trampoline, vtax_instruction_trampoline, vtax_memory_trampoline
.hidden vtax_block_trampoline, vtax_entry_trampoline, vtax_instruction_trampoline, vtax_memory_trampoline
vtax_block_trampoline:       mov %rbp, %rdx
                             jmp vtax_on_block
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
  g.clock.start(g.settings.shift, vtax::probe::cpus_woke);
  if (g.settings.caches.line_bytes != 0) {
    g.caches.start(g.settings.caches);
    g.contexts.count_caches();
  }
  g.machine_cpus = info->system.smp_vcpus;
  qemu_plugin_register_vcpu_tb_trans_cb(id, vtax::probe::on_translation);
  return 0;
}
