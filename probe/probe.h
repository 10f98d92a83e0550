#pragma once

// The probe's state, and what its two halves share: translation.cpp chooses at each block's translation what
// is called when it runs, probe.cpp counts when it runs.

#include <cstdint>

#include "blocks.h"
#include "cache_model.h"
#include "contexts.h"
#include "cpu.h"
#include "latencies.h"
#include "output.h"
#include "qemu_plugin_api.h"
#include "schedule.h"
#include "settings.h"
#include "timeline.h"
#include "turn.h"
#include "vm_exit.h"

namespace vtax::probe {

struct Probe {
  const std::uint8_t* env = nullptr;     // of `current`
  const std::uint8_t* steady = nullptr;  // the same, from the turn's second block on, if the counter is known
  Cpu* current = nullptr;                // whose turn it is
  Turn turn;
  int counter_offset = 0;
  Cpu cpus[kMaxCpus];  // by QEMU's number
  int machine_cpus = 0;
  Blocks blocks;
  Contexts contexts;
  CounterSearch search;
  Settings settings;
  VmcbReader vmcbs;
  Output output;
  Timeline timeline;
  Latencies latencies;
  Schedule schedule;
  CacheModel caches;
  std::uint64_t window_base = 0;
  std::int64_t window_begin_ns = 0;
  std::uint64_t limit_from = 0;  // instructions
  std::int64_t limit_from_ns = 0;
  bool window_open = false;
  std::uint64_t parties_at_work = 0;  // end markers that the open window still waits for
};

extern Probe g;  // one plugin, one emulator, one thread

enum class Mark : std::uint8_t {
  page_table_switch,
  announce,
  begin,
  end,
  progress,
  request,
  answer,
  latency,
  enter_guest,
  forget_addresses
};

// An instruction callback's data: block, its length, the instruction's place in it, what it is.
constexpr std::uint64_t pack(std::uint32_t block, std::uint64_t length, std::uint64_t place, Mark mark,
                             std::uint64_t domain) {
  return block | length << 24 | place << 36 | static_cast<std::uint64_t>(mark) << 48 | domain << 56;
}

// cache_callbacks.cpp: has each of the block's accesses and each of its runs go through the cache model.
void watch_caches(qemu_plugin_tb* tb);
void forget_addresses(const Cpu& cpu);

// QEMU calls it with each block that it translates.
void on_translation(qemu_plugin_id_t id, qemu_plugin_tb* tb);

}  // namespace vtax::probe

extern "C" {

// QEMU's generated code calls these with (translator, data), the last with (translator, what, address, data),
// and its own env in %rbp.
void vtax_memory_trampoline(unsigned, qemu_plugin_meminfo_t, std::uint64_t, void*);
void vtax_block_trampoline(unsigned, void*);
void vtax_priced_block_trampoline(unsigned, void*);
void vtax_entry_trampoline(unsigned, void*);
void vtax_instruction_trampoline(unsigned, void*);
void vtax_data_trampoline(unsigned, qemu_plugin_meminfo_t, std::uint64_t, void*);
void vtax_code_trampoline(unsigned, void*);

}  // extern "C"
