// What of a block is watched: decided once, when QEMU translates it.

#include <algorithm>
#include <cstring>
#include <vector>

#include "probe.h"

namespace vtax::probe {
namespace {

std::size_t bytes_of(const qemu_plugin_insn* insn, std::uint8_t* to, std::size_t room) {
  const std::size_t size = std::min(qemu_plugin_insn_size(insn), room);
#if VTAX_QEMU_PLUGIN_API >= 4
  return qemu_plugin_insn_data(insn, to, size);
#else
  std::memcpy(to, qemu_plugin_insn_data(insn), size);
  return size;
#endif
}

bool writes_cr3(const std::uint8_t* code, std::size_t size) {
  if (size == 4 && (code[0] & 0xf0) == 0x40) ++code, --size;
  return size == 3 && code[0] == 0x0f && code[1] == 0x22 && (code[2] & 0x38) == 0x18;
}

// The CPU comes back behind VMRUN whenever the guest exits, be it in the middle of one of its blocks.
bool enters_guest(const std::uint8_t* code, std::size_t size) {
  return size == 3 && code[0] == 0x0f && code[1] == 0x01 && code[2] == 0xd8;
}

// INVLPG and INVPCID.
bool changes_addresses(const std::uint8_t* code, std::size_t size) {
  std::size_t at = 0;
  const bool operand_size = code[at] == 0x66;
  if (operand_size) ++at;
  if (at < size && (code[at] & 0xf0) == 0x40) ++at;
  if (size < at + 3 || code[at] != 0x0f) return false;
  if (operand_size) return code[at + 1] == 0x38 && code[at + 2] == 0x82;
  return code[at + 1] == 0x01 && (code[at + 2] & 0x38) == 0x38 && code[at + 2] < 0xc0;
}

void watch_instruction(qemu_plugin_insn* insn, std::uint64_t data,
                       qemu_plugin_cb_flags registers = QEMU_PLUGIN_CB_NO_REGS) {
  qemu_plugin_register_vcpu_insn_exec_cb(insn, vtax_instruction_trampoline, registers,
                                         reinterpret_cast<void*>(data));
}

}  // namespace

void on_translation(qemu_plugin_id_t, qemu_plugin_tb* tb) {
  const std::size_t length = qemu_plugin_tb_n_insns(tb);
  const std::uint64_t address = qemu_plugin_tb_vaddr(tb);
  static std::vector<std::uint8_t> sizes;
  sizes.clear();
  for (std::size_t i = 0; i < length; ++i)
    sizes.push_back(static_cast<std::uint8_t>(qemu_plugin_insn_size(qemu_plugin_tb_get_insn(tb, i))));
  const std::uint32_t block = g.blocks.number_of(address, sizes);
  if (block >= kMaxBlocks) g.output.stop(State::failed, "more code than the probe has room for");

  auto* const data = BlockData(block, static_cast<std::uint32_t>(length)).data();
  const bool entry = g.settings.entries.contains(address);
  const auto block_trampoline = g.settings.prices.on ? vtax_priced_block_trampoline : vtax_block_trampoline;
  qemu_plugin_register_vcpu_tb_exec_cb(tb, entry ? vtax_entry_trampoline : block_trampoline,
                                       QEMU_PLUGIN_CB_NO_REGS, data);

  if (length == 1)
    qemu_plugin_register_vcpu_mem_cb(qemu_plugin_tb_get_insn(tb, 0), vtax_memory_trampoline,
                                     QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, data);

  if (g.caches.on()) watch_caches(tb);

  for (std::size_t i = 0; i < length; ++i) {
    qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(tb, i);
    std::uint8_t code[16];
    const std::size_t size = bytes_of(insn, code, sizeof code);
    if (enters_guest(code, size)) {
      EntryPoint& back = g.settings.entries[qemu_plugin_insn_vaddr(insn) + size];
      back.behind_vmrun = true;
      if (g.settings.nested)
        watch_instruction(insn, pack(block, length, i, Mark::enter_guest, 0), QEMU_PLUGIN_CB_R_REGS);
    }
    if (g.caches.on() && (changes_addresses(code, size) || enters_guest(code, size)))
      watch_instruction(insn, pack(block, length, i, Mark::forget_addresses, 0));
    if (writes_cr3(code, size)) watch_instruction(insn, pack(block, length, i, Mark::page_table_switch, 0));
    if (size != 8 || std::memcmp(code, kMarkerPrefix, sizeof kMarkerPrefix) != 0) continue;
    std::uint32_t identity = 0;
    std::memcpy(&identity, code + 4, sizeof identity);
    if (identity - kMarkerAnnounce < 64)
      watch_instruction(insn, pack(block, length, i, Mark::announce, identity - kMarkerAnnounce));
    else if (identity == kMarkerBegin)
      watch_instruction(insn, pack(block, length, i, Mark::begin, 0));
    else if (identity == kMarkerEnd)
      watch_instruction(insn, pack(block, length, i, Mark::end, 0));
    else if (identity == kMarkerProgress)
      watch_instruction(insn, pack(block, length, i, Mark::progress, 0), QEMU_PLUGIN_CB_R_REGS);
    else if (identity == kMarkerRequest)
      watch_instruction(insn, pack(block, length, i, Mark::request, 0), QEMU_PLUGIN_CB_R_REGS);
    else if (identity == kMarkerAnswer)
      watch_instruction(insn, pack(block, length, i, Mark::answer, 0), QEMU_PLUGIN_CB_R_REGS);
    else if (identity == kMarkerLatency)
      watch_instruction(insn, pack(block, length, i, Mark::latency, 0), QEMU_PLUGIN_CB_R_REGS);
  }
}

}  // namespace vtax::probe
