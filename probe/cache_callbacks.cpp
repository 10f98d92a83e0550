// Between QEMU and the cache model: which lines a block's code lies in, and which line an access means.

#include <dlfcn.h>

#include <map>
#include <tuple>

#include "probe.h"

namespace vtax::probe {
namespace {

// A block's code as lines by physical address: of a second page, where it reaches into one.
struct CodeLines {
  std::uint64_t first[2] = {};
  std::uint32_t count[2] = {};
};

// The machine's memory lies in one piece in this process: so an instruction's place here tells its physical
// address. (The lab's machines have less than 3 GiB; what lies elsewhere, firmware, is far above.)
const std::uint8_t* machine_memory() {
  using Map = void*(std::uint64_t address, std::uint64_t * bytes, bool is_write);
  static const std::uint8_t* base = nullptr;
  if (base != nullptr) return base;
  constexpr std::uint64_t kAnywhere = 1U << 20;
  std::uint64_t bytes = 4096;
  auto* const map = reinterpret_cast<Map*>(dlsym(RTLD_DEFAULT, "cpu_physical_memory_map"));
  const auto* const found =
      map == nullptr ? nullptr : static_cast<std::uint8_t*>(map(kAnywhere, &bytes, false));
  if (found == nullptr)
    g.output.stop(State::failed, "this QEMU does not tell where code lies: no cache model");
  return base = found - kAnywhere;
}

CodeLines lines_of(qemu_plugin_tb* tb) {
  constexpr std::uint64_t kPage = 4096;
  CodeLines lines;
  int part = -1;
  std::uint64_t page = ~0ULL, last = 0;
  const std::size_t length = qemu_plugin_tb_n_insns(tb);
  for (std::size_t i = 0; i < length; ++i) {
    const qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(tb, i);
    const auto* const place = static_cast<const std::uint8_t*>(qemu_plugin_insn_haddr(insn));
    if (place == nullptr) continue;
    const auto physical = static_cast<std::uint64_t>(place - machine_memory());
    if (physical / kPage != page && part < 1) {
      page = physical / kPage;
      ++part;
      lines.first[part] = physical >> g.caches.line_shift();
    }
    // An instruction that reaches into the next page: its last bytes are left out.
    last = std::min(physical + qemu_plugin_insn_size(insn) - 1, page * kPage + kPage - 1);
    lines.count[part] = static_cast<std::uint32_t>((last >> g.caches.line_shift()) - lines.first[part] + 1);
  }
  return lines;
}

// QEMU drops and translates blocks anew; their lines are kept once.
const CodeLines* kept(const CodeLines& lines) {
  using Key = std::tuple<std::uint64_t, std::uint64_t, std::uint32_t, std::uint32_t>;
  static std::map<Key, CodeLines> all;
  const Key key{lines.first[0], lines.first[1], lines.count[0], lines.count[1]};
  return &all.try_emplace(key, lines).first->second;
}

void add(CacheCounts& counts, CacheCount l1, const CacheMisses& misses) {
  counts.of[static_cast<std::uint32_t>(l1)] += misses.l1 ? 1 : 0;
  counts.of[static_cast<std::uint32_t>(CacheCount::l2_misses)] += misses.l2 ? 1 : 0;
  counts.of[static_cast<std::uint32_t>(CacheCount::l3_misses)] += misses.l3 ? 1 : 0;
}

CacheCounts& counts_of(const Cpu& cpu) {
  return cpu.last_context->caches[cpu.last.block()];
}

int number_of(const Cpu& cpu) {
  return static_cast<int>(&cpu - g.cpus);
}

// One line of an access that may change the model.
void access_line(const Cpu& cpu, qemu_plugin_meminfo_t info, std::uint64_t address, bool store) {
  const qemu_plugin_hwaddr* const place = qemu_plugin_get_hwaddr(info, address);
  if (place == nullptr || qemu_plugin_hwaddr_is_io(place)) return;
  CacheCounts& counts = counts_of(cpu);
  ++counts.of[static_cast<std::uint32_t>(CacheCount::memory_accesses)];
  const unsigned shift = g.caches.line_shift();
  const CacheMisses misses =
      g.caches.data(number_of(cpu), address >> shift, qemu_plugin_hwaddr_phys_addr(place) >> shift, store);
  add(counts, CacheCount::l1d_misses, misses);
}

}  // namespace

void forget_addresses(const Cpu& cpu) {
  if (g.caches.on()) g.caches.forget_addresses(number_of(cpu));
}

void watch_caches(qemu_plugin_tb* tb) {
  const CodeLines* const lines = kept(lines_of(tb));
  qemu_plugin_register_vcpu_tb_exec_cb(tb, vtax_code_trampoline, QEMU_PLUGIN_CB_NO_REGS,
                                       const_cast<CodeLines*>(lines));
  const std::size_t length = qemu_plugin_tb_n_insns(tb);
  for (std::size_t i = 0; i < length; ++i)
    qemu_plugin_register_vcpu_mem_cb(qemu_plugin_tb_get_insn(tb, i), vtax_data_trampoline,
                                     QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, nullptr);
}

}  // namespace vtax::probe

using vtax::probe::g;

extern "C" {

__attribute__((used)) void vtax_on_data(unsigned, qemu_plugin_meminfo_t info, std::uint64_t address, void*,
                                        const std::uint8_t* env) {
  const vtax::probe::Cpu* const cpu = g.current;
  if (cpu == nullptr || g.env != env) return;
  const bool store = qemu_plugin_mem_is_store(info);
  const std::uint64_t last = address + (1ULL << qemu_plugin_mem_size_shift(info)) - 1;
  const unsigned shift = g.caches.line_shift();
  if (address >> shift == last >> shift) {
    if (g.caches.is_again(vtax::probe::number_of(*cpu), address >> shift, store)) {
      ++vtax::probe::counts_of(*cpu).of[static_cast<int>(vtax::probe::CacheCount::memory_accesses)];
      return;
    }
  } else {
    vtax::probe::access_line(*cpu, info, last, store);
  }
  vtax::probe::access_line(*cpu, info, address, store);
}

__attribute__((used)) void vtax_on_code(unsigned, void* data, const std::uint8_t* env) {
  const vtax::probe::Cpu* const cpu = g.current;
  if (cpu == nullptr || g.env != env) return;
  const auto* const lines = static_cast<const vtax::probe::CodeLines*>(data);
  const int number = vtax::probe::number_of(*cpu);
  for (int part = 0; part < 2; ++part) {
    for (std::uint64_t i = 0; i < lines->count[part]; ++i) {
      const vtax::probe::CacheMisses misses = g.caches.code(number, lines->first[part] + i);
      if (misses.l1)
        vtax::probe::add(vtax::probe::counts_of(*cpu), vtax::probe::CacheCount::l1i_misses, misses);
    }
  }
}

asm(R"(
.text
.globl vtax_data_trampoline, vtax_code_trampoline
.hidden vtax_data_trampoline, vtax_code_trampoline
vtax_data_trampoline: mov %rbp, %r8
                      jmp vtax_on_data
vtax_code_trampoline: mov %rbp, %rdx
                      jmp vtax_on_code
)");

}  // extern "C"
