// Mends QEMU's VMRUN: an interrupt that a hypervisor injects reaches its guest once.
// Loaded into QEMU with LD_PRELOAD where a machine's CPUs virtualise; docs/design/qemu-svm.md has the defect
// and the change that QEMU itself needs.
//
// helper_vmrun (target/i386/tcg/system/svm_helper.c) delivers an injected interrupt itself and leaves its
// vector in the CPU's exception_index. If QEMU's loop is left before the next VM exit, which happens whenever
// a slice of instructions is used up, the vector is delivered again, whatever the guest is doing and though
// its interrupts are off. Where helper_vmrun returns, no exception is pending: exception_index must be -1.
//
// What is known of QEMU: the helper's description begins with the pointer to the helper; cpu_loop_exit_noexc
// writes -1 to the exception_index of the CPU it is given, which tells where that is; a CPU's registers
// (env) lie behind its common part in the same object. All four names are exported, for QEMU's own modules.

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

#include <cstdint>

namespace {

using Vmrun = void(void* env, int address_flag, int next_eip_addend);
using GetCpu = void*(int index);

Vmrun* g_vmrun = nullptr;
GetCpu* g_get_cpu = nullptr;
std::int32_t g_exception_index = 0;  // offset in a CPU

constexpr int kRefused = 70;

[[noreturn]] void refuse(const char* why) {
  constexpr char kWho[] = "vtax-vmrun: this QEMU cannot run guests of a hypervisor exactly: ";
  if (write(STDERR_FILENO, kWho, sizeof kWho - 1) < 0 || write(STDERR_FILENO, why, strlen(why)) < 0)
    _exit(kRefused);
  _exit(kRefused);
}

// The displacement of `movl $-1, disp32(%rdi)`, which is to be found once in the function's first bytes.
bool find_minus_one_written(const unsigned char* code, std::int32_t& offset) {
  constexpr int kSearched = 24;
  int found = 0;
  for (int i = 0; i < kSearched; ++i) {
    if (code[i] != 0xc7 || code[i + 1] != 0x87 || memcmp(code + i + 6, "\xff\xff\xff\xff", 4) != 0) continue;
    memcpy(&offset, code + i + 2, sizeof offset);
    ++found;
  }
  return found == 1 && offset > 0;
}

char* cpu_of(const void* env) {
  char* nearest = nullptr;
  for (int i = 0; auto* const cpu = static_cast<char*>(g_get_cpu(i)); ++i)
    if (cpu < static_cast<const char*>(env) && cpu > nearest) nearest = cpu;
  return nearest;
}

void mended_vmrun(void* env, int address_flag, int next_eip_addend) {
  g_vmrun(env, address_flag, next_eip_addend);
  constexpr std::int32_t kNone = -1;
  memcpy(cpu_of(env) + g_exception_index, &kNone, sizeof kNone);
}

[[gnu::constructor]] void mend() {
  auto* const description = static_cast<Vmrun**>(dlsym(RTLD_DEFAULT, "helper_info_vmrun"));
  g_vmrun = reinterpret_cast<Vmrun*>(dlsym(RTLD_DEFAULT, "helper_vmrun"));
  g_get_cpu = reinterpret_cast<GetCpu*>(dlsym(RTLD_DEFAULT, "qemu_get_cpu"));
  const auto* const leave = static_cast<const unsigned char*>(dlsym(RTLD_DEFAULT, "cpu_loop_exit_noexc"));
  if (description == nullptr || g_vmrun == nullptr || g_get_cpu == nullptr || leave == nullptr)
    refuse("it does not export the functions that this needs\n");
  if (*description != g_vmrun) refuse("its description of VMRUN has another form\n");
  if (!find_minus_one_written(leave, g_exception_index)) refuse("its CPUs have another form\n");
  *description = mended_vmrun;
}

}  // namespace
