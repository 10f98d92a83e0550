#pragma once

// The machine's virtual time at an instruction. Under -icount it is what all CPUs executed, times 2^shift,
// and what they slept, all of them at once. QEMU's own clock must not be asked while a block runs ("Bad
// icount read"); so it is asked whenever the CPUs' thread wakes (probe/turns.cpp calls), and only what was
// executed since is added.

#include <dlfcn.h>

#include <cstdint>

namespace vtax::probe {

class VirtualClock {
 public:
  // `on_wake` is to call woken(). Without the mended threads, or in a QEMU that does not export its clock,
  // the time stays unknown.
  void start(int shift, void (*on_wake)()) {
    shift_ = shift;
    now_ = reinterpret_cast<Now*>(dlsym(RTLD_DEFAULT, "qemu_clock_get_ns"));
    auto* const hook = reinterpret_cast<void (**)()>(dlsym(RTLD_DEFAULT, "vtax_turns_on_wake"));
    if (shift >= 0 && now_ != nullptr && hook != nullptr) *hook = on_wake;
  }

  // All CPUs are halted, and have executed `icount` so far.
  void woken(std::uint64_t icount) {
    constexpr int kVirtual = 1;  // QEMU_CLOCK_VIRTUAL
    slept_ns_ = now_(kVirtual) - static_cast<std::int64_t>(icount << shift_);
    known_ = true;
  }

  [[nodiscard]] bool known() const { return known_; }
  [[nodiscard]] std::int64_t at(std::uint64_t icount) const {
    return slept_ns_ + static_cast<std::int64_t>(icount << shift_);
  }

 private:
  using Now = std::int64_t(int clock);
  Now* now_ = nullptr;
  int shift_ = -1;
  bool known_ = false;
  std::int64_t slept_ns_ = 0;  // and what QEMU's clock showed when the probe began to count
};

}  // namespace vtax::probe
