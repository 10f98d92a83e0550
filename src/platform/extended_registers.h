#pragma once

namespace vtax {

// User Mode Linux 6.1 has 2,696 bytes for a program's registers (FP_SIZE, arch/x86/um), which are those of
// AVX-512 and protection keys. The kernel sets all of a CPU's registers or none (PTRACE_SETREGSET of
// NT_X86_XSTATE), so on a CPU with AMX the first program dies: "ptrace set fp regs failed, errno = 14".
// Where it cannot read them it keeps to x87 and SSE.
[[nodiscard]] bool uml_has_room_for_registers();

// From here on this process, and whatever it starts, cannot read a tracee's NT_X86_XSTATE: EINVAL, as on a
// kernel without. No new privileges either. Does nothing but system calls; returns errno or 0.
[[nodiscard]] int hide_extended_registers();

// What a program of such a guest has in its environment: it must not use registers that are not kept for it.
inline constexpr char kNoAvx[] =
    "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX_Fast_Unaligned_Load,-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW";

}  // namespace vtax
