#pragma once

// Why a guest on the CPU's virtualisation came back: the exit code in its control block (VMCB), which lies in
// the machine's memory. AMD64 Architecture Programmer's Manual, volume 2, appendix B (the VMCB's layout) and
// appendix C (the codes).

#include <dlfcn.h>

#include <cstdint>

#include "format.h"

namespace vtax::probe {

inline Event reason_of(std::uint64_t exit_code) {
  if (exit_code < 0x40 || exit_code == 0x65) return Event::exits_register;
  if (exit_code < 0x60) return Event::exits_exception;
  if (exit_code < 0x64) return Event::exits_interrupt;  // physical ones: INTR, NMI, SMI, INIT
  switch (exit_code) {
    case 0x64:
      return Event::exits_interrupt_window;
    case 0x72:
      return Event::exits_cpuid;
    case 0x77:
      return Event::exits_pause;
    case 0x78:
      return Event::exits_halt;
    case 0x7b:
      return Event::exits_io;
    case 0x7c:
      return Event::exits_msr;
    case 0x81:
      return Event::exits_hypercall;
    case 0x400:
      return Event::exits_nested_page_fault;
    default:
      return Event::exits_other;
  }
}

// Reads the machine's memory by a function that QEMU exports for its modules. A QEMU without it cannot be
// asked: can_read() is false.
class VmcbReader {
 public:
  [[nodiscard]] bool can_read() const { return read_ != nullptr; }
  [[nodiscard]] std::uint64_t exit_code(std::uint64_t vmcb) const {
    constexpr std::uint64_t kExitCode = 0x70;
    std::uint64_t code = 0;
    read_(vmcb + kExitCode, &code, sizeof code, false);
    return code;
  }

 private:
  using Read = void(std::uint64_t address, void* data, std::uint64_t bytes, bool is_write);
  Read* read_ = reinterpret_cast<Read*>(dlsym(RTLD_DEFAULT, "cpu_physical_memory_rw"));
};

}  // namespace vtax::probe
